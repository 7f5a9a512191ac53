using Microsoft.Extensions.Logging;

namespace Detection.Inference.Graphs;

/// <summary>Log messages about runs of graphs. Event ids 1 to 5 are those of devices.</summary>
internal static partial class GraphLog
{
    [LoggerMessage(6, LogLevel.Warning, "A run of model {Model} on {Device} was ended after {Seconds:0.0} s; its pictures are run alone or fail")]
    public static partial void RunEnded(ILogger logger, string model, string device, double seconds);

    [LoggerMessage(7, LogLevel.Critical, "A run of model {Model} on {Device} was ended and goes on; it is in an operation that does not end, and keeps its thread until the process ends")]
    public static partial void RunGoesOn(ILogger logger, string model, string device);
}
