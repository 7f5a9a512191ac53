namespace Detection.Frontend.Protocols.Legacy;

internal static partial class LegacyQueueLog
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Serving the Redis list {Queue} as {Taker}.")]
    public static partial void Serving(this ILogger logger, string queue, string taker);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "Item {ImageKey} of the Redis list failed and was removed without an answer: {Reason}")]
    public static partial void Unanswered(this ILogger logger, string imageKey, string reason);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "An item of the Redis list is not valid and was removed: {Reason}")]
    public static partial void NotUnderstood(this ILogger logger, string? reason);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "Leases of other front ends expired; {Back} items returned to the Redis list, {Dropped} dropped after too many attempts.")]
    public static partial void Recovered(this ILogger logger, int back, int dropped);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "The Redis list cannot be served because Redis does not answer; retrying: {Reason}")]
    public static partial void RedisFailed(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6, Level = LogLevel.Error, Message = "Serving the Redis list failed with an unexpected error; continuing with the next item.")]
    public static partial void Failed(this ILogger logger, Exception exception);
}
