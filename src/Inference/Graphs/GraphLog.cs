using Microsoft.Extensions.Logging;

namespace Detection.Inference.Graphs;

/// <summary>Log messages about runs of graphs. Event ids 1 to 5 are those of devices.</summary>
internal static partial class GraphLog
{
    [LoggerMessage(6, LogLevel.Warning, "A run of {Model} on {Device} was terminated after {Seconds:0.0} s; its pictures are run separately, or fail")]
    public static partial void RunEnded(ILogger logger, string model, string device, double seconds);

    [LoggerMessage(7, LogLevel.Critical, "A run of {Model} on {Device} does not react to its termination; its thread stays busy until the process ends")]
    public static partial void RunGoesOn(ILogger logger, string model, string device);
}
