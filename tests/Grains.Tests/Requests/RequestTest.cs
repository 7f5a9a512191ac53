using Detection.Client;
using Detection.Contracts.Storage;
using Detection.Grains.Tests.Batching;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Requests;

/// <summary>A Redis, a client, and a device whose batches end when the test says so.</summary>
public abstract class RequestTest : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private ServiceProvider _services = null!;
    private ConnectionMultiplexer _connection = null!;
    private int _next;

    protected static RedisKeys Keys { get; } = new();

    protected static DetectionOptions Patient { get; } = new() { Deadline = TimeSpan.FromSeconds(60) };

    private protected GatedDevice Device { get; } = new("gated:0");

    protected IDetectionClient Client { get; private set; } = null!;

    protected IDatabase Database => _connection.GetDatabase();

    protected IServer Server => _connection.GetServers()[0];

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await _redis.ConnectAsync();
        _services = NewClient(out var client);
        Client = client;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Dispose();
        await _services.DisposeAsync();
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
    }

    /// <summary>Another client, which has seen nothing yet.</summary>
    private protected ServiceProvider NewClient(out IDetectionClient client)
    {
        var services = new ServiceCollection().AddDetectionClient(options => options.Redis = _redis.ConnectionString).BuildServiceProvider();
        client = services.GetRequiredService<IDetectionClient>();
        return services;
    }

    /// <summary>Ends what a derived test has besides.</summary>
    protected virtual void Dispose()
    {
    }

    private protected Task<TestSilo> StartSiloAsync(params IEnumerable<(string Name, string Value)> settings) =>
        TestSilo.StartAsync(_redis, Device, settings);

    private protected Task<TestSilo> StartSiloWithoutDeviceAsync(params IEnumerable<(string Name, string Value)> settings) =>
        TestSilo.StartAsync(_redis, null, settings);

    /// <summary>Gives the device a picture to be busy with.</summary>
    protected async Task<DetectionTicket> OccupyAsync()
    {
        var ticket = await Client.SubmitAsync(Next(), Patient);
        await Eventually.Async(() => Device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");
        return ticket;
    }

    /// <summary>Submits or detects; gives the failure, or <see langword="null"/>.</summary>
    protected async Task<DetectionError?> TryAsync(byte[] picture, bool asynchronous)
    {
        try
        {
            _ = asynchronous ? await Client.SubmitAsync(picture, Patient) : (object)await Client.DetectAsync(picture, Patient);
            return null;
        }
        catch (DetectionException e)
        {
            return e.Error;
        }
    }

    protected Task DoneAsync(string imageKey) => Eventually.Async(
        async () => (await Client.GetStatusAsync(imageKey)).Status == DetectionStatus.Done, Eventually.Soon, "what was accepted is done");

    protected async Task<long> WaitingAsync() => await Database.ListLengthAsync(Keys.Queue(await ModelAsync()));

    protected async Task<string> ModelAsync() => (await Client.GetModelsAsync())[0].Id;

    protected byte[] Next() => TestPictures.Unique(Interlocked.Increment(ref _next));
}
