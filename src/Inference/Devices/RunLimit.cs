using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices;

/// <summary>Ends the first runs of a graph that never end by themselves, so that other models can be loaded after it.</summary>
internal sealed class RunLimit : IDisposable
{
    private readonly Timer _timer;

    /// <param name="options">Options of the run.</param>
    /// <param name="longest">When it is ended, at the next operation of the graph.</param>
    public RunLimit(RunOptions options, TimeSpan longest) => _timer = new Timer(_ => options.Terminate = true, null, longest, Timeout.InfiniteTimeSpan);

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
