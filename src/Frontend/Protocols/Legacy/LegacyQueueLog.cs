namespace Detection.Frontend.Protocols.Legacy;

/// <summary>What the service of the Redis list tells the log.</summary>
internal static partial class LegacyQueueLog
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "The Redis list {Queue} is served by {Taker}.")]
    public static partial void Serving(this ILogger logger, string queue, string taker);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{ImageKey} from the Redis list stays without an answer: {Reason}")]
    public static partial void Unanswered(this ILogger logger, string imageKey, string reason);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "An item of the Redis list is not understood: {Reason}")]
    public static partial void NotUnderstood(this ILogger logger, string? reason);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "Dead front ends held items of the Redis list: {Back} were put back, {Dropped} given up.")]
    public static partial void Recovered(this ILogger logger, int back, int dropped);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "The Redis list cannot be served at this time: {Reason}")]
    public static partial void RedisFailed(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6, Level = LogLevel.Error, Message = "An item of the Redis list failed.")]
    public static partial void Failed(this ILogger logger, Exception exception);
}
