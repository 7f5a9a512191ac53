using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>Ends the first runs of a graph that never end by themselves, so that other models can be loaded after it.</summary>
internal sealed class RunLimit : IDisposable
{
    /// <summary>Far more than a detector takes for its first run, planning included.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Timer _timer;

    /// <param name="options">Options of the run.</param>
    public RunLimit(RunOptions options) => _timer = new Timer(_ => options.Terminate = true, null, Longest, Timeout.InfiniteTimeSpan);

    /// <summary>Waits for the timer, so that the options may be disposed.</summary>
    public void Dispose()
    {
        using var ended = new ManualResetEvent(false);
        if (_timer.Dispose(ended))
        {
            ended.WaitOne();
        }
    }
}
