using Detection.Grains.Placement;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Batching;

/// <summary>Log messages of batchers.</summary>
internal static partial class BatcherLog
{
    [LoggerMessage(1, LogLevel.Debug, "Batcher {Batcher} deferred {Count} costly pictures; they wait for the next turn of their callers.")]
    public static partial void LogDeferred(this ILogger logger, BatcherKey batcher, int count);

    [LoggerMessage(2, LogLevel.Information, "Batcher {Batcher} started.")]
    public static partial void LogStarted(this ILogger logger, BatcherKey batcher);

    [LoggerMessage(3, LogLevel.Information, "Batcher {Batcher} stopped after {Completed} pictures.")]
    public static partial void LogStopped(this ILogger logger, BatcherKey batcher, long completed);

    [LoggerMessage(4, LogLevel.Warning, "Batcher {Batcher} failed; it takes a new lease in {Delay}.")]
    public static partial void LogInterrupted(this ILogger logger, Exception exception, BatcherKey batcher, TimeSpan delay);

    [LoggerMessage(5, LogLevel.Warning, "A batch of {Batcher} failed; {Left} items return to the queue.")]
    public static partial void LogBatchInterrupted(this ILogger logger, Exception exception, BatcherKey batcher, int left);

    [LoggerMessage(6, LogLevel.Warning, "Lease of {Batcher} expired; its items return to the queue, and it takes a new lease.")]
    public static partial void LogLeaseEnded(this ILogger logger, BatcherKey batcher);

    [LoggerMessage(7, LogLevel.Warning, "Lease of {Batcher} was not renewed or released because Redis does not answer; it expires unless a later attempt succeeds: {Reason}")]
    public static partial void LogCannotRenew(this ILogger logger, BatcherKey batcher, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Batcher {Batcher} cannot claim items because Redis does not answer; it returns its items and takes a new lease: {Reason}")]
    public static partial void LogCannotClaim(this ILogger logger, BatcherKey batcher, string reason);

    [LoggerMessage(9, LogLevel.Warning, "Batcher {Batcher} cannot settle {Count} items because Redis does not answer; retrying in {Delay}: {Reason}")]
    public static partial void LogCannotSettle(this ILogger logger, BatcherKey batcher, int count, TimeSpan delay, string reason);

    [LoggerMessage(10, LogLevel.Error, "Batcher {Batcher} is stuck with {InFlight} items on its device; it stops renewing its lease, so another batcher reclaims them.")]
    public static partial void LogStuck(this ILogger logger, BatcherKey batcher, int inFlight);

    [LoggerMessage(11, LogLevel.Warning, "Batcher {Batcher} did not stop within {DrainTimeout}; {InFlight} items are still on the device.")]
    public static partial void LogDrainTimedOut(this ILogger logger, BatcherKey batcher, TimeSpan drainTimeout, int inFlight);

    [LoggerMessage(12, LogLevel.Warning, "Lease of {Other} expired; {Returned} items returned to the queue, {Poison} became dead letters.")]
    public static partial void LogReclaimed(this ILogger logger, string other, int returned, int poison);

    [LoggerMessage(13, LogLevel.Error, "{Item} became a dead letter: the lease of its batcher expired {Attempts} times.")]
    public static partial void LogPoison(this ILogger logger, string item, int attempts);

    [LoggerMessage(14, LogLevel.Information, "Batcher {Batcher} released its lease; {Returned} items returned to the queue.")]
    public static partial void LogReleased(this ILogger logger, BatcherKey batcher, int returned);

    [LoggerMessage(15, LogLevel.Information, "{Item} was not settled ({Outcome}); it is in the queue or with another batcher, and this result is discarded.")]
    public static partial void LogNotSettled(this ILogger logger, string item, SettleOutcome outcome);

    [LoggerMessage(16, LogLevel.Warning, "Device of {Batcher} failed on {Count} items; they return to the queue for another attempt: {Reason}")]
    public static partial void LogDeviceFailed(this ILogger logger, BatcherKey batcher, int count, string reason);

    [LoggerMessage(17, LogLevel.Error, "Redis returned wrong bytes for {Count} pictures of {Batcher}, the first is {ImageKey}; the connection is closed and the items return to the queue.")]
    public static partial void LogWrongPictures(this ILogger logger, BatcherKey batcher, int count, string imageKey);

    [LoggerMessage(18, LogLevel.Error, "{Item} became a dead letter: it failed {Attempts} attempts.")]
    public static partial void LogDeadLetter(this ILogger logger, Exception exception, string item, int attempts);

    [LoggerMessage(19, LogLevel.Information, "{Item} failed: {Reason}")]
    public static partial void LogFailed(this ILogger logger, Exception? exception, string item, string? reason);

    [LoggerMessage(32, LogLevel.Warning, "{ImageKey}: the picture that became a dead letter was not kept for administrators and expires as others do: {Reason}", EventName = "PoisonNotKept")]
    public static partial void LogPoisonNotKept(this ILogger logger, string imageKey, string reason);

    [LoggerMessage(31, LogLevel.Error, "The process had no memory for pictures of {Batcher}; they return to the queue after {Pause}, and no attempt is counted.", EventName = "ProcessOutOfMemory")]
    public static partial void LogNoMemory(this ILogger logger, BatcherKey batcher, TimeSpan pause);
}
