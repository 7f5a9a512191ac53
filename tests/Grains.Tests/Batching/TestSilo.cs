using Detection.Hosting;
using Detection.Inference.Devices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Tests.Batching;

/// <summary>The product's silo in the test process, with test devices.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private TestSilo(IHost host) => _host = host;

    public static Task<TestSilo> StartAsync(
        RedisServer redis, IInferenceDevice device, params IEnumerable<(string Name, string Value)> settings) =>
        StartAsync(redis, [device], settings);

    public static async Task<TestSilo> StartAsync(
        RedisServer redis, IReadOnlyList<IInferenceDevice> devices, params IEnumerable<(string Name, string Value)> settings)
    {
        var host = Build(redis.ConnectionString, devices, settings);
        await host.StartAsync();
        return new TestSilo(host);
    }

    /// <summary>A host with the product's silo that is not started.</summary>
    public static IHost Build(string redis, IReadOnlyList<IInferenceDevice> devices, params IEnumerable<(string Name, string Value)> settings)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:redis"] = redis,
            ["Detection:Silo:Port"] = $"{LoopbackPorts.Next()}",
            ["Detection:Silo:GatewayPort"] = $"{LoopbackPorts.Next()}",
            ["Detection:Models:Directory"] = Path.Combine(Repository.Root, "models"),
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value));
        builder.Logging.ClearProviders();
        builder.AddDetectionSilo(new DeviceSet(devices, []));
        return builder.Build();
    }

    /// <summary>The silo's services.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Cancelled when the silo has started to stop.</summary>
    public CancellationToken Stopping => _host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

    /// <summary>The answer of <c>/health/ready</c>.</summary>
    public async Task<string> HealthAsync()
    {
        var report = await _host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        return $"{report.Status}: {string.Join(' ', report.Entries.Values.Select(entry => entry.Description))}";
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
