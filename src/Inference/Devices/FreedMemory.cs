using System.Runtime.InteropServices;

namespace Detection.Inference.Devices;

/// <summary>
/// Gives memory that native code has freed back to the system. The allocator of glibc keeps what a session frees, in an arena of the
/// thread that took it, and another thread takes new memory: a process whose models are loaded again and again grows by a session for
/// each arena (onnxruntime #26831). Other allocators give it back themselves.
/// </summary>
internal static unsafe class FreedMemory
{
    private static readonly delegate* unmanaged<nuint, int> Trim =
        OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "malloc_trim", out nint trim)
            ? (delegate* unmanaged<nuint, int>)trim
            : null;

    /// <summary>Gives back what is free now. Takes milliseconds, so that it is for the end of a load and of a session, not of a run.</summary>
    public static void TrimHeap()
    {
        if (Trim is not null)
        {
            Trim(0);
        }
    }
}
