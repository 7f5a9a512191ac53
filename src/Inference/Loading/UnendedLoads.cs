using System.Runtime.InteropServices;

namespace Detection.Inference.Loading;

/// <summary>Loads of models that run, in the whole process. The runtime cannot end all of them.</summary>
public static unsafe class UnendedLoads
{
    private static int _count;

    /// <summary>
    /// Ends the process if a load goes on. The ordinary end frees what the runtime's libraries hold while the load's thread works with it,
    /// which crashes. Call it last: nothing runs after it.
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
