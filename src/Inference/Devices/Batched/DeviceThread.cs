using System.Collections.Concurrent;

namespace Detection.Inference.Devices.Batched;

/// <summary>
/// The one thread that a device runs on: a GPU gains nothing from parallel callers, and its provider keeps state per thread.
/// </summary>
internal sealed class DeviceThread : IDisposable
{
    /// <summary>Runs are ended before. What cannot be ended is left to the end of the process.</summary>
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(5);

    private readonly BlockingCollection<Action> _runs = [];
    private readonly Thread _thread;

    /// <param name="name">Name of the thread.</param>
    public DeviceThread(string name)
    {
        _thread = new Thread(Work) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Queues a run, which must not throw.</summary>
    public void Post(Action run) => _runs.Add(run);

    /// <summary>Runs something and waits for it.</summary>
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
#pragma warning disable CA1031 // Thrown again where it is awaited.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        });
        await done.Task;
    }

    /// <summary>Ends the thread after what is queued, and waits a little for it.</summary>
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
