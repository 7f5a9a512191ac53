using Microsoft.Extensions.Logging;

namespace Detection.Client;

internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Error, "{ImageKey}: Redis gave the bytes of another picture; the connection that gave them is ended")]
    public static partial void LogWrongPicture(this ILogger logger, string imageKey);

    [LoggerMessage(2, LogLevel.Warning, "{ImageKey}: the request is refused, Redis answers with an error: {Reason}")]
    public static partial void LogRefused(this ILogger logger, string? imageKey, string reason);

    [LoggerMessage(3, LogLevel.Debug, "{ImageKey}: asking again after {Failure}: {Message}")]
    public static partial void LogRetry(this ILogger logger, string imageKey, string failure, string message);

    [LoggerMessage(4, LogLevel.Debug, "{ImageKey}: its result is known, its picture could not be stored again: {Message}")]
    public static partial void LogNotKept(this ILogger logger, string imageKey, string message);

    [LoggerMessage(5, LogLevel.Debug, "{ImageKey}: its picture is not kept any more; it is fetched from {Host} again")]
    public static partial void LogFetchAgain(this ILogger logger, string? imageKey, string host);
}
