using Detection.Hosting;
using Detection.Inference.Devices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Bench.Scale;

/// <summary>A silo as a process of its own, the product's but for its devices.</summary>
internal static class SimulatedSilo
{
    /// <param name="devices">Number of devices.</param>
    /// <param name="service">Time that a batch takes.</param>
    public static void Run(int devices, TimeSpan service)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.AddDetectionSilo(new DeviceSet([.. Enumerable.Range(0, devices).Select(i => new SimulatedDevice($"simulated:{i}", service))], []));
        builder.Build().Run();
    }
}
