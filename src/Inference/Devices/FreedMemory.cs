using System.Runtime.InteropServices;

namespace Detection.Inference.Devices;

/// <summary>
/// Returns memory that native code has freed to the system. The allocator of glibc keeps the memory that a session frees in an arena of the
/// allocating thread, and another thread allocates new memory. So a process that loads models again and again grows by one session for each arena
/// (onnxruntime #26831). Other allocators return memory by themselves.
/// </summary>
internal static unsafe class FreedMemory
{
    private static readonly delegate* unmanaged<nuint, int> Trim =
        OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "malloc_trim", out nint trim)
            ? (delegate* unmanaged<nuint, int>)trim
            : null;

    /// <summary>Returns the memory that is free now. It takes milliseconds, so call it after a load or a session, not after a run.</summary>
    public static void TrimHeap()
    {
        if (Trim is not null)
        {
            Trim(0);
        }
    }
}
