namespace Detection.Frontend.Protocols.Legacy;

internal static partial class LegacyQueueLog
{
    [LoggerMessage(1, LogLevel.Information, "Serving the Redis list {Queue} as {Taker}.")]
    public static partial void Serving(this ILogger logger, string queue, string taker);

    [LoggerMessage(2, LogLevel.Warning, "Item {ImageKey} of the Redis list failed and was removed without an answer: {Reason}")]
    public static partial void Unanswered(this ILogger logger, string imageKey, string reason);

    [LoggerMessage(3, LogLevel.Warning, "An item of the Redis list is not valid and was removed: {Reason}")]
    public static partial void NotUnderstood(this ILogger logger, string? reason);

    [LoggerMessage(4, LogLevel.Warning, "Leases of other front ends expired; {Back} items returned to the Redis list, {Dropped} dropped after too many attempts.")]
    public static partial void Recovered(this ILogger logger, int back, int dropped);

    [LoggerMessage(5, LogLevel.Warning, "The Redis list cannot be served because Redis does not answer; retrying: {Reason}")]
    public static partial void RedisFailed(this ILogger logger, string reason);

    [LoggerMessage(6, LogLevel.Error, "Serving the Redis list failed with an unexpected error; continuing with the next item.")]
    public static partial void Failed(this ILogger logger, Exception exception);
}
