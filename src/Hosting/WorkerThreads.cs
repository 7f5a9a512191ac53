namespace Detection.Hosting;

/// <summary>The thread pool of a program of the cluster.</summary>
internal static class WorkerThreads
{
    /// <summary>
    /// Threads that the pool starts without delay. When a master of Redis fails under Sentinel, StackExchange.Redis blocks several threads per
    /// connection while it looks for the new one. The pool's default minimum, the number of cores, is less than that on a small machine, and the pool
    /// adds only one or two threads a second. Until then no timer runs, a silo answers no probe, and its cluster declares it dead. Threads that are
    /// not needed are not started.
    /// </summary>
    public const int Least = 64;

    /// <summary>Raises the minimum to <see cref="Least"/> unless it is higher.</summary>
    public static void Reserve()
    {
        ThreadPool.GetMinThreads(out var workers, out var completionPorts);
        if (workers < Least)
        {
            ThreadPool.SetMinThreads(Least, completionPorts);
        }
    }
}
