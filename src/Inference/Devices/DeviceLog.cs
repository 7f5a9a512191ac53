using Microsoft.Extensions.Logging;

namespace Detection.Inference.Devices;

/// <summary>What devices tell.</summary>
internal static partial class DeviceLog
{
    [LoggerMessage(1, LogLevel.Information, "Model {Model}@{Version} is ready on {Device} after {Seconds:0.0} s")]
    public static partial void Loaded(ILogger logger, string model, string version, string device, double seconds);
}
