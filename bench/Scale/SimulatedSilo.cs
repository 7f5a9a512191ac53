using Detection.Hosting;
using Detection.Inference.Devices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Bench.Scale;

/// <summary>A silo as a separate process, with the product's code except the devices.</summary>
internal static class SimulatedSilo
{
    /// <param name="devices">Number of devices.</param>
    /// <param name="service">Duration of a batch.</param>
    public static void Run(int devices, TimeSpan service)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.AddDetectionSilo(new DeviceSet([.. Enumerable.Range(0, devices).Select(i => new SimulatedDevice($"simulated:{i}", service))], []));
        builder.Build().Run();
    }
}
