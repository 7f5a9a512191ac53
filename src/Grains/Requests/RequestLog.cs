using Detection.Contracts.Requests;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Requests;

internal static partial class RequestLog
{
    /// <summary>Logs what Redis refused, and returns the answer for the caller.</summary>
    public static RequestSnapshot Refused(this ILogger logger, RequestKey key, Exception e)
    {
        logger.LogUnavailable(key.Item, e.Message);
        return RequestFailures.Refused(e);
    }

    [LoggerMessage(1, LogLevel.Debug, "{Item} withdrawn: its last caller left.")]
    public static partial void LogWithdrawn(this ILogger logger, string item);

    [LoggerMessage(2, LogLevel.Warning, "{Item}: Redis does not answer, or returned an error: {Reason}")]
    public static partial void LogUnavailable(this ILogger logger, string item, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Request {Item}, whose picture was lost, is not in the queue again; it fails: {Reason}")]
    public static partial void LogNotFetchedAgain(this ILogger logger, string item, string reason);
}
