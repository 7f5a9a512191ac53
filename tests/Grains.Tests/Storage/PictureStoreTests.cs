using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Storage;

public sealed class PictureStoreTests : IAsyncLifetime
{
    private static readonly RedisKeys Keys = new();
    private RedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    private IDatabase Database => _connection.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await _redis.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Read_returns_the_stored_picture_and_a_second_store_changes_nothing()
    {
        await using var connections = new RedisConnections(_redis.ConnectionString);
        var store = Store(connections);
        var (picture, key) = Picture(3_000_000);

        Assert.Null(await store.ReadAsync(key));
        Assert.False(await store.ContainsAsync(key));
        await store.StoreAsync(key, picture);
        await store.StoreAsync(key, new byte[] { 1, 2, 3 });

        Assert.True(await store.ContainsAsync(key));
        using (var read = await store.ReadAsync(key))
        {
            Assert.True(read!.Span.SequenceEqual(picture));
        }

        await store.RemoveAsync(key);
        Assert.Null(await store.ReadAsync(key));
    }

    [Fact]
    public async Task Picture_that_is_not_accepted_expires_soon_and_an_accepted_one_survives_a_refusal()
    {
        await using var connections = new RedisConnections(_redis.ConnectionString);
        var store = Store(connections);
        var (picture, key) = Picture(100);

        await store.StoreAsync(key, picture);
        Assert.InRange(await LeftAsync(key), TimeSpan.FromSeconds(20), PictureStore.UnacceptedExpiry);
        Assert.True(await store.KeepAsync(new RequestKey("model@1", key)));
        Assert.InRange(await LeftAsync(key), TimeSpan.FromSeconds(110), TimeSpan.FromMinutes(2));

        // Storing it again does not shorten its expiry, and a refusal of that request does not remove it.
        await store.StoreAsync(key, picture);
        await store.RemoveUnacceptedAsync(key);
        Assert.InRange(await LeftAsync(key), TimeSpan.FromSeconds(110), TimeSpan.FromMinutes(2));

        var (other, refused) = Picture(101);
        await store.StoreAsync(refused, other);
        await store.RemoveUnacceptedAsync(refused);
        Assert.False(await store.ContainsAsync(refused));
        Assert.False(await store.KeepAsync(new RequestKey("model@1", refused)));
    }

    [Fact]
    public async Task Transfers_are_limited_and_waiting_ones_keep_their_order()
    {
        await using var slow = new SlowRedis(await RedisServer.StartAsync(), 4_000_000);
        await using var connections = new RedisConnections(slow.ConnectionString);
        var store = Store(connections, atOnce: 2);
        var pictures = Enumerable.Range(0, 12).Select(i => Picture(100_000 + i)).ToList();
        await Task.WhenAll(pictures.Select(one => store.StoreAsync(one.Key, one.Picture)));

        var order = new List<int>();
        await Task.WhenAll(pictures.Select(async (one, i) =>
        {
            using var read = await store.ReadAsync(one.Key);
            Assert.True(read!.Span.SequenceEqual(one.Picture));
            lock (order)
            {
                order.Add(i);
            }
        }));

        // Two at a time: none arrives more than one place out of order.
        Assert.All(order, (picture, place) => Assert.InRange(picture, place - 1, place + 1));
    }

    [Fact]
    public async Task Slow_transfer_times_out_and_the_next_uses_a_new_connection()
    {
        await using var proxy = new RedisProxy(_redis);
        await using var connections = new RedisConnections(proxy.ConnectionString + ",asyncTimeout=500");
        var store = Store(connections, rate: 1_000_000);
        var (picture, key) = Picture(1000);
        await store.StoreAsync(key, picture);

        // The answer never arrives, and nothing else on that connection does.
        proxy.HoldAnswersFrom(request => request.Contains("GET", StringComparison.Ordinal) && request.Contains(key, StringComparison.Ordinal));
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => store.ReadAsync(key));
        Assert.True(RedisConnection.IsOutage(failure), $"{failure}");
        proxy.Cut();

        await Eventually.Async(
            async () =>
            {
                using var read = await store.ReadAsync(key);
                return read!.Span.SequenceEqual(picture);
            },
            Eventually.Soon,
            "it is read");
    }

    [Fact]
    public async Task Cancelled_caller_keeps_no_turns_of_others()
    {
        await using var slow = new SlowRedis(await RedisServer.StartAsync(), 2_000_000);
        await using var connections = new RedisConnections(slow.ConnectionString);
        var store = Store(connections, atOnce: 1);
        var (picture, key) = Picture(1_000_000);
        await store.StoreAsync(key, picture);

        for (var i = 0; i < 5; i++)
        {
            using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.ReadAsync(key, leaving.Token));
        }

        using var read = await store.ReadAsync(key).WaitAsync(Eventually.Soon);
        Assert.True(read!.Span.SequenceEqual(picture));
    }

    private static PictureStore Store(RedisConnections connections, int atOnce = 4, int rate = 1_000) =>
        new(connections, Keys, Options.Create(new PictureTransferOptions { MaxAtOnce = atOnce, MinBytesPerSecond = rate }), TimeProvider.System);

    private static (byte[] Picture, string Key) Picture(int length)
    {
        var picture = new byte[length];
        new Random(length).NextBytes(picture);
        return (picture, TestPictures.ImageKey(picture));
    }

    private async Task<TimeSpan> LeftAsync(string key) => await Database.KeyTimeToLiveAsync(Keys.Picture(key)) ?? TimeSpan.Zero;
}
