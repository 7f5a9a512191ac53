using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>
/// Ends runs that take too long, at the next operation of the graph, also within a loop. Later runs with the same options are not affected. For one
/// run at a time.
/// </summary>
internal sealed class RunLimit : IDisposable
{
    private readonly Lock _gate = new();
    private readonly RunOptions _options;
    private readonly RunBounds _bounds;
    private readonly Timer _timer;
    private readonly CancellationTokenRegistration _stopping;
    private bool _running;
    private bool _ended;
    private long _began;
    private TimeSpan _next;

    /// <param name="options">Options of the runs. Dispose them after this.</param>
    /// <param name="bounds">Bounds of the runs.</param>
    public RunLimit(RunOptions options, RunBounds bounds)
    {
        (_options, _bounds) = (options, bounds);
        _timer = new Timer(static limit => ((RunLimit)limit!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _stopping = bounds.Stopping.UnsafeRegister(static limit => ((RunLimit)limit!).Stop(), this);
    }

    /// <summary>Whether the current or last run was terminated.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _ended;
            }
        }
    }

    /// <summary>A run starts.</summary>
    public void Begin(TimeSpan longest)
    {
        lock (_gate)
        {
            (_running, _ended, _began, _next) = (true, false, Stopwatch.GetTimestamp(), longest);
            _timer.Change(longest, Timeout.InfiniteTimeSpan);
            if (_bounds.Stopping.IsCancellationRequested)
            {
                EndRun();
            }
        }
    }

    /// <summary>The run is over.</summary>
    public void End()
    {
        lock (_gate)
        {
            _running = false;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _options.Terminate = false;
        }
    }

    /// <summary>Waits for the timer, so that the options can be disposed.</summary>
    public void Dispose()
    {
        _stopping.Dispose();
        using var ended = new ManualResetEvent(false);
        if (_timer.Dispose(ended))
        {
            ended.WaitOne();
        }
    }

    private void Look()
    {
        lock (_gate)
        {
            if (!_running)
            {
                return;
            }

            // The timer was set for the previous run, or fired a little early.
            var left = _next - Stopwatch.GetElapsedTime(_began);
            if (left > TimeSpan.Zero)
            {
                _timer.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
            else if (_ended)
            {
                _bounds.GoesOn();
            }
            else
            {
                EndRun();
            }
        }
    }

    private void Stop()
    {
        lock (_gate)
        {
            if (_running && !_ended)
            {
                EndRun();
            }
        }
    }

    private void EndRun()
    {
        var elapsed = Stopwatch.GetElapsedTime(_began);
        _ended = true;
        _options.Terminate = true;
        _next = elapsed + _bounds.TimeToEnd;
        _timer.Change(_bounds.TimeToEnd, Timeout.InfiniteTimeSpan);
        _bounds.Ended(elapsed);
    }
}
