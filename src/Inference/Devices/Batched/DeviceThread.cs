using System.Collections.Concurrent;

namespace Detection.Inference.Devices.Batched;

/// <summary>The only thread that uses a device: a GPU gains nothing from parallel callers, and its provider has state per thread.</summary>
internal sealed class DeviceThread : IDisposable
{
    /// <summary>Runs are ended before that. A run that cannot be ended continues until the process ends.</summary>
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(5);

    private readonly BlockingCollection<Action> _runs = [];
    private readonly Thread _thread;

    public DeviceThread(string name)
    {
        _thread = new Thread(Work) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Queues a run, which must not throw.</summary>
    public void Post(Action run) => _runs.Add(run);

    /// <summary>Runs an action on the thread and waits for it.</summary>
    public async Task InvokeAsync(Action run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                run();
                done.SetResult();
            }
#pragma warning disable CA1031 // Rethrown where it is awaited.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        });
        await done.Task;
    }

    /// <summary>Ends the thread after the queued runs, and waits a limited time for it.</summary>
    public void Dispose()
    {
        _runs.CompleteAdding();
        if (_thread.Join(JoinTimeout))
        {
            _runs.Dispose();
        }
    }

    private void Work()
    {
        foreach (var run in _runs.GetConsumingEnumerable())
        {
            run();
        }
    }
}
