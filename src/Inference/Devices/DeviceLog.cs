using Microsoft.Extensions.Logging;

namespace Detection.Inference.Devices;

/// <summary>Log messages about devices.</summary>
internal static partial class DeviceLog
{
    [LoggerMessage(1, LogLevel.Information, "Model {Model}@{Version} is ready on {Device} after {Seconds:0.0} s")]
    public static partial void Loaded(ILogger logger, string model, string version, string device, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Device {Device}: {Description}, {HardwareId}")]
    public static partial void Opened(ILogger logger, string device, string description, string hardwareId);

    [LoggerMessage(3, LogLevel.Warning, "{Problem}")]
    public static partial void NotUsable(ILogger logger, string problem);

    [LoggerMessage(4, LogLevel.Information, "Some operators of {Model} run on the CPU, because {Device} does not support them")]
    public static partial void PartlyOnCpu(ILogger logger, string model, string device);

    [LoggerMessage(5, LogLevel.Warning, "Model {Model} does not run on {Device} with batches of up to {Most} pictures; it is loaded for single pictures: {Reason}")]
    public static partial void SinglePictures(ILogger logger, string model, string device, int most, string reason);
}
