using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Testing;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Queueing;

/// <summary>One Redis for the tests of the queue; each test has its own model, and so its own keys.</summary>
public class QueueFixture : IAsyncLifetime
{
    private static readonly RedisKeys Keys = new();
    private RedisServer? _server;
    private int _models;

    public IConnectionMultiplexer Redis { get; private set; } = null!;

    public IDatabase Database => Redis.GetDatabase();

    protected virtual RedisOptions Options => new();

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.StartAsync(Options);
        Redis = await _server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Redis.DisposeAsync();
        await _server!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    public string NewModel() => $"test@{Interlocked.Increment(ref _models):x12}";

    /// <param name="configure">Changes its options.</param>
    /// <param name="time">The clock of its process.</param>
    public TestQueue NewQueue(Action<QueueOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new QueueOptions { Lease = TimeSpan.FromMinutes(5) };
        configure?.Invoke(options);
        return new TestQueue(Redis, Keys, options, time);
    }

    public static QueuedItem Item(string model, int number, TimeSpan? budget = null, string? caller = null)
    {
        var now = DateTimeOffset.UtcNow;
        return new QueuedItem(Key(model, number), now + (budget ?? TimeSpan.FromMinutes(1)), now, Caller: caller);
    }

    public static RequestKey Key(string model, int number) => new(model, number.ToString("x64"));

    /// <summary>Simulates the expiry of a batcher's lease.</summary>
    public Task EndLeaseAsync(string model, string batcher) => Database.KeyDeleteAsync(Keys.Lease(model, batcher));
}

/// <summary>The same on the embedded Garnet.</summary>
public sealed class GarnetQueueFixture : QueueFixture
{
    protected override RedisOptions Options => new() { Garnet = true };
}
