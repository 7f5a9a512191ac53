using System.Collections.Concurrent;
using System.Diagnostics;

namespace Detection.Testing;

/// <summary>
/// Starts processes that end with the test host, even when it is killed: the kernel sends them SIGKILL when the thread that
/// started them ends (PR_SET_PDEATHSIG, set by <c>setpriv</c>, which then becomes the program with the same pid). Therefore
/// one thread that never ends starts all of them: the end of an idle pool thread would kill the processes.
/// </summary>
internal static class ProcessStarter
{
    private static readonly BlockingCollection<(ProcessStartInfo Info, TaskCompletionSource<Process> Started)> Orders = [];
    private static readonly string? SetPriv = Executables.Find("setpriv");

    static ProcessStarter() => new Thread(Run) { IsBackground = true, Name = "Process starter" }.Start();

    public static Process Start(ProcessStartInfo info)
    {
        if (SetPriv is not null)
        {
            info.ArgumentList.Insert(0, info.FileName);
            info.ArgumentList.Insert(0, "KILL");
            info.ArgumentList.Insert(0, "--pdeathsig");
            info.FileName = SetPriv;
        }

        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Orders.Add((info, started));
        return started.Task.GetAwaiter().GetResult();
    }

    private static void Run()
    {
        foreach (var (info, started) in Orders.GetConsumingEnumerable())
        {
            try
            {
                started.SetResult(Process.Start(info) ?? throw new InvalidOperationException($"'{info.FileName}' did not start."));
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        }
    }
}
