using Microsoft.Extensions.Logging;

namespace Detection.Client;

internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Error, "{ImageKey}: Redis returned the bytes of another picture; its connection is closed and the picture is read again.")]
    public static partial void LogWrongPicture(this ILogger logger, string imageKey);

    [LoggerMessage(2, LogLevel.Warning, "{ImageKey}: Redis returned an error; the request is refused: {Reason}")]
    public static partial void LogRefused(this ILogger logger, string? imageKey, string reason);

    [LoggerMessage(3, LogLevel.Debug, "{ImageKey}: call failed with {Failure}; retrying: {Message}")]
    public static partial void LogRetry(this ILogger logger, string imageKey, string failure, string message);

    [LoggerMessage(4, LogLevel.Debug, "{ImageKey}: the result is cached, but Redis has no memory to keep the picture longer: {Message}")]
    public static partial void LogNotKept(this ILogger logger, string imageKey, string message);

    [LoggerMessage(7, LogLevel.Warning, "Silo {Silo} did not answer an administrator's call: {Message}")]
    public static partial void LogSiloUnreachable(this ILogger logger, string silo, string message);

    [LoggerMessage(5, LogLevel.Debug, "{ImageKey}: the picture has expired; it is fetched from {Host} again.")]
    public static partial void LogFetchAgain(this ILogger logger, string? imageKey, string host);

    [LoggerMessage(6, LogLevel.Error, "{ImageKey}: the request failed with an unexpected error; the caller gets the reason Internal.")]
    public static partial void LogUnforeseen(this ILogger logger, Exception exception, string? imageKey);
}
