using System.Runtime.InteropServices;

namespace Detection.Inference.Loading;

/// <summary>Running loads of models in the whole process. The runtime cannot end all of them.</summary>
public static unsafe class UnendedLoads
{
    private static int _count;

    /// <summary>
    /// Ends the process at once if a load is still running. An ordinary end would free the data of the runtime's libraries while the load's thread
    /// uses it, which crashes. Call it last: no code runs after it.
    /// </summary>
    public static void EndProcess(int exitCode)
    {
        if (Volatile.Read(ref _count) > 0 && OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "_exit", out nint exit))
        {
            ((delegate* unmanaged<int, void>)exit)(exitCode);
        }
    }

    internal static void Begin() => Interlocked.Increment(ref _count);

    internal static void End() => Interlocked.Decrement(ref _count);
}
