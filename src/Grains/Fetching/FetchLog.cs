using Microsoft.Extensions.Logging;

namespace Detection.Grains.Fetching;

internal static partial class FetchLog
{
    [LoggerMessage(1, LogLevel.Warning, "Fetch from {Origin} refused: {Reason}")]
    public static partial void Refused(this ILogger logger, string origin, string reason);

    [LoggerMessage(2, LogLevel.Information, "Fetch from {Origin} failed")]
    public static partial void NotReachable(this ILogger logger, string origin, Exception exception);

    [LoggerMessage(3, LogLevel.Information, "Fetch from {Origin} timed out after {Limit}")]
    public static partial void TimedOut(this ILogger logger, string origin, TimeSpan limit);

    [LoggerMessage(4, LogLevel.Information, "Fetch from {Origin} failed: the picture has more than {MaxBytes} bytes")]
    public static partial void TooLarge(this ILogger logger, string origin, int maxBytes);

    [LoggerMessage(5, LogLevel.Information, "Fetch from {Origin} timed out before it could start: {Reason}")]
    public static partial void NoPlace(this ILogger logger, string origin, string reason);

    [LoggerMessage(6, LogLevel.Information, "Fetch from {Origin} failed: {Reason}")]
    public static partial void NoMemory(this ILogger logger, string origin, string reason);
}
