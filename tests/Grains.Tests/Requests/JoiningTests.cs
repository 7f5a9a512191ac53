using Detection.Client;
using Detection.Contracts.Storage;
using Detection.Grains.Tests.Batching;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Requests;

/// <summary>Callers who come for a picture while somebody else brings it, leaves it or is refused with it.</summary>
public sealed class JoiningTests : IAsyncLifetime
{
    private static readonly RedisKeys Keys = new();
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    private readonly GatedDevice _device = new("gated:0");
    private RedisServer _redis = null!;
    private ServiceProvider _services = null!;
    private IDetectionClient _client = null!;
    private int _next;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _services = new ServiceCollection().AddDetectionClient(options => options.Redis = _redis.ConnectionString).BuildServiceProvider();
        _client = _services.GetRequiredService<IDetectionClient>();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    public async Task Whoever_joins_a_request_that_is_refused_is_refused_as_well(int silos, int callers)
    {
        await using var first = await TestSilo.StartAsync(_redis, _device, ("Detection:Queue:Capacity", "1"));
        await using var second = silos == 1 ? null : await TestSilo.StartAsync(_redis, null, ("Detection:Queue:Capacity", "1"));
        await OccupyAsync();
        var waiting = await _client.SubmitAsync(Next(), Patient);
        await Eventually.Async(async () => await WaitingAsync() == 1, Eventually.Soon, "the queue is full");

        var accepted = 0;
        for (var round = 0; round < 20; round++)
        {
            var picture = Next();
            var outcomes = await Task.WhenAll(Enumerable.Range(0, callers).Select(i => TryAsync(picture, asynchronous: i % 3 != 2)));
            accepted += outcomes.Count(outcome => outcome is not DetectionError.Busy);
            Assert.Equal(DetectionStatus.Unknown, (await _client.GetStatusAsync(TestPictures.ImageKey(picture))).Status);
        }

        Assert.Equal(0, accepted);
        _device.Open();
        await Eventually.Async(
            async () => (await _client.GetStatusAsync(waiting.ImageKey)).Status == DetectionStatus.Done, Eventually.Soon, "what was accepted is done");
    }

    [Fact]
    public async Task One_who_joins_asynchronously_has_his_own_deadline_in_the_queue_and_on_the_device()
    {
        await using var silo = await TestSilo.StartAsync(_redis, _device);
        var onDevice = Next();
        var short1 = _client.DetectAsync(onDevice, new DetectionOptions { Deadline = TimeSpan.FromSeconds(1.5) });
        await Eventually.Async(() => _device.Batches.Count == 1, Eventually.Soon, "the first is on the device");
        var queued = Next();
        var short2 = _client.DetectAsync(queued, new DetectionOptions { Deadline = TimeSpan.FromSeconds(1.5) });
        await Eventually.Async(async () => await WaitingAsync() == 1, Eventually.Soon, "the second waits");

        DetectionTicket[] joined = [await _client.SubmitAsync(onDevice), await _client.SubmitAsync(queued)];
        Assert.Equal(DetectionError.DeadlineExceeded, (await Assert.ThrowsAsync<DetectionException>(() => short1)).Error);
        Assert.Equal(DetectionError.DeadlineExceeded, (await Assert.ThrowsAsync<DetectionException>(() => short2)).Error);
        _device.Open();

        foreach (var ticket in joined)
        {
            Assert.Equal(DetectionStatus.Done, (await _client.GetStatusAsync(ticket.ImageKey, wait: TimeSpan.FromSeconds(30))).Status);
        }
    }

    [Fact]
    public async Task What_one_leaves_while_another_joins_it_asynchronously_is_done()
    {
        await using var silo = await TestSilo.StartAsync(_redis, _device);
        await OccupyAsync();
        var random = new Random(7);
        var tickets = new List<DetectionTicket>();
        for (var round = 0; round < 60; round++)
        {
            var picture = Next();
            using var leaving = new CancellationTokenSource();
            var left = _client.DetectAsync(picture, Patient, leaving.Token);
            await Eventually.Async(
                async () => (await _client.GetStatusAsync(TestPictures.ImageKey(picture))).Status == DetectionStatus.Queued, Eventually.Soon, "it waits");
            var joining = Task.Run(() => _client.SubmitAsync(picture));
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(1500)));
            await leaving.CancelAsync();
            tickets.Add(await joining);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }

        _device.Open();
        foreach (var ticket in tickets)
        {
            Assert.Equal(DetectionStatus.Done, (await _client.GetStatusAsync(ticket.ImageKey, wait: TimeSpan.FromSeconds(30))).Status);
        }
    }

    /// <summary>Gives the device a picture to be busy with.</summary>
    private async Task OccupyAsync()
    {
        await _client.SubmitAsync(Next(), Patient);
        await Eventually.Async(() => _device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");
    }

    private async Task<DetectionError?> TryAsync(byte[] picture, bool asynchronous)
    {
        try
        {
            _ = asynchronous ? await _client.SubmitAsync(picture, Patient) : (object)await _client.DetectAsync(picture, Patient);
            return null;
        }
        catch (DetectionException e)
        {
            return e.Error;
        }
    }

    private async Task<long> WaitingAsync()
    {
        await using var redis = await _redis.ConnectAsync();
        return await redis.GetDatabase().ListLengthAsync(Keys.Queue((await _client.GetModelsAsync())[0].Id));
    }

    private byte[] Next() => TestPictures.Unique(++_next);
}
