using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Graphs;

/// <summary>The time limits of the runs of one model on one device, and whether a run could not be ended.</summary>
/// <param name="longest">Time limit of a run.</param>
/// <param name="model">Name of the model, for the log.</param>
/// <param name="device">Name of the device, for the log.</param>
/// <param name="logger">Logger.</param>
/// <param name="stopping">Ends all runs when the device is closed.</param>
internal sealed class RunBounds(TimeSpan longest, string model = "", string device = "", ILogger? logger = null, CancellationToken stopping = default)
{
    private static readonly TimeSpan MinTimeToEnd = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly TaskCompletionSource _unending = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Time limit of a run.</summary>
    public TimeSpan Longest => longest;

    /// <summary>
    /// Time limit for one picture of a batch that was ended. It runs alone and has already waited; if it takes longer, it gets another attempt.
    /// </summary>
    public TimeSpan LongestAlone => longest / 5;

    /// <summary>
    /// How long a run may continue after it was ended: operations of detectors take milliseconds. A run that continues longer counts as endless.
    /// </summary>
    public TimeSpan TimeToEnd { get; } = longest > MinTimeToEnd ? longest : MinTimeToEnd;

    /// <summary>Cancelled when the device is closed.</summary>
    public CancellationToken Stopping => stopping;

    /// <summary>Completed when a run continued although it was ended, because it is within one operation. It cannot be stopped then.</summary>
    public Task Unending => _unending.Task;

    /// <summary>Time limit of a run with the given time to the last deadline of its pictures. Its result can still serve later requests.</summary>
    /// <param name="left">Time to the last of the deadlines.</param>
    public TimeSpan Until(TimeSpan left)
    {
        var most = (left > TimeSpan.Zero ? left : TimeSpan.Zero).Ticks + (longest / 4).Ticks;
        return most < longest.Ticks ? new TimeSpan(most) : longest;
    }

    /// <summary>A run was terminated.</summary>
    public void Ended(TimeSpan after) => GraphLog.RunEnded(_logger, model, device, after.TotalSeconds);

    /// <summary>A terminated run continues.</summary>
    public void GoesOn()
    {
        if (_unending.TrySetResult())
        {
            GraphLog.RunGoesOn(_logger, model, device);
        }
    }
}
