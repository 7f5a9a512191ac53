using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Batching;

/// <summary>A Redis and a client, for tests that start silos with test devices.</summary>
public abstract class SiloTest : IAsyncLifetime
{
    protected static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    private ServiceProvider _services = null!;

    protected static RedisKeys Keys { get; } = new();

    protected RedisServer Redis { get; private set; } = null!;

    protected IDetectionClient Client { get; private set; } = null!;

    protected IClusterReports Reports { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        _services = NewClient(out var client);
        Client = client;
        Reports = _services.GetRequiredService<IClusterReports>();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _services.DisposeAsync();
        await Redis.DisposeAsync();
    }

    /// <summary>Another client, with an empty cache.</summary>
    private protected ServiceProvider NewClient(out IDetectionClient client)
    {
        var services = new ServiceCollection().AddDetectionClient(options => options.Redis = Redis.ConnectionString).BuildServiceProvider();
        client = services.GetRequiredService<IDetectionClient>();
        return services;
    }

    /// <summary>A device that lets all batches end.</summary>
    internal static GatedDevice OpenDevice(string name)
    {
        var device = new GatedDevice(name);
        device.Open();
        return device;
    }

    /// <summary>Sends pictures of these numbers, all concurrently.</summary>
    protected async Task<IReadOnlyList<DetectionAnswer>> DetectAsync(int first, int count) =>
        await Task.WhenAll(Enumerable.Range(first, count).Select(i => Client.DetectAsync(TestPictures.Unique(i), Patient)));

    /// <summary>Waits until the given number of batchers works.</summary>
    protected Task ServedByAsync(int batchers) => Eventually.Async(
        async () => (await Reports.GetSilosAsync()).SelectMany(silo => silo.Batchers).Count(batcher => batcher.Works) == batchers,
        Eventually.Soon,
        $"{batchers} batchers work");

    /// <summary>Waits until a device is reported with this health.</summary>
    protected Task HealthAsync(string device, DeviceHealth health) => Eventually.Async(
        async () => (await ReportAsync(device))?.Health == health, Eventually.Soon, $"{device} is {health}");

    /// <summary>The report of a device.</summary>
    protected async Task<BatcherReport?> ReportAsync(string device) =>
        (await Reports.GetSilosAsync()).SelectMany(silo => silo.Batchers).FirstOrDefault(batcher => batcher.Device.Contains(device, StringComparison.Ordinal));

    /// <summary>Name and version of the model that is served.</summary>
    protected async Task<string> ModelAsync() => (await Client.GetModelsAsync())[0].Id;

    /// <summary>Number of dead letters.</summary>
    protected async Task<long> CountDeadAsync()
    {
        await using var redis = await Redis.ConnectAsync();
        return await redis.GetDatabase().ListLengthAsync(Keys.Dead(await ModelAsync()));
    }
}
