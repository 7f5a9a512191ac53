using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Graphs;

/// <summary>How long the runs of one model on one device may last, and whether one of them could not be ended.</summary>
/// <param name="longest">Longest that a run may last.</param>
/// <param name="model">Name of the model, for the log.</param>
/// <param name="device">Name of the device, for the log.</param>
/// <param name="logger">Log.</param>
/// <param name="stopping">Ends all runs: the device is being closed.</param>
internal sealed class RunBounds(TimeSpan longest, string model = "", string device = "", ILogger? logger = null, CancellationToken stopping = default)
{
    private static readonly TimeSpan MinTimeToEnd = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly TaskCompletionSource _unending = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Longest that a run may last.</summary>
    public TimeSpan Longest => longest;

    /// <summary>
    /// Longest for one picture of a batch that was ended. It is alone then and has been waiting; what takes longer has another attempt.
    /// </summary>
    public TimeSpan LongestAlone => longest / 5;

    /// <summary>How long a run may go on after it was ended: operations of detectors take milliseconds. Longer, and it is taken for endless.</summary>
    public TimeSpan TimeToEnd { get; } = longest > MinTimeToEnd ? longest : MinTimeToEnd;

    /// <summary>Cancelled when the device is being closed.</summary>
    public CancellationToken Stopping => stopping;

    /// <summary>Completed when a run was ended and went on nevertheless: it is inside of one operation. It cannot be stopped then.</summary>
    public Task Unending => _unending.Task;

    /// <summary>How long a run may last whose pictures all have their deadlines by then: its result still serves those who ask later.</summary>
    /// <param name="left">Time to the last of the deadlines.</param>
    public TimeSpan Until(TimeSpan left)
    {
        var most = (left > TimeSpan.Zero ? left : TimeSpan.Zero).Ticks + (longest / 4).Ticks;
        return most < longest.Ticks ? new TimeSpan(most) : longest;
    }

    /// <summary>A run was terminated.</summary>
    public void Ended(TimeSpan after) => GraphLog.RunEnded(_logger, model, device, after.TotalSeconds);

    /// <summary>A run that was terminated goes on.</summary>
    public void GoesOn()
    {
        if (_unending.TrySetResult())
        {
            GraphLog.RunGoesOn(_logger, model, device);
        }
    }
}
