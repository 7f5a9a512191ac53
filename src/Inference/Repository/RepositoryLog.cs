using Microsoft.Extensions.Logging;

namespace Detection.Inference.Repository;

/// <summary>Log messages about the folder of models.</summary>
internal static partial class RepositoryLog
{
    [LoggerMessage(1, LogLevel.Information, "Model {Model}@{Version} found", EventName = "LogFound")]
    public static partial void Found(ILogger logger, string model, string version);

    [LoggerMessage(2, LogLevel.Information, "Model {Model}@{Old} replaced by {Model}@{Version}", EventName = "LogReplaced")]
    public static partial void Replaced(ILogger logger, string model, string old, string version);

    [LoggerMessage(3, LogLevel.Information, "Model {Model} removed", EventName = "LogRemoved")]
    public static partial void Removed(ILogger logger, string model);

    [LoggerMessage(4, LogLevel.Warning, "Model {Model}: {Problem}", EventName = "LogProblem")]
    public static partial void Problem(ILogger logger, string model, string problem);

    [LoggerMessage(5, LogLevel.Information, "The folder {Folder} cannot be watched; it is scanned every {Interval}: {Reason}", EventName = "LogNotWatched")]
    public static partial void NotWatched(ILogger logger, string folder, TimeSpan interval, string reason);

    [LoggerMessage(6, LogLevel.Error, "Scanning {Folder} failed; the next scan is within {Interval}", EventName = "LogScanFailed")]
    public static partial void ScanFailed(ILogger logger, Exception exception, string folder, TimeSpan interval);
}
