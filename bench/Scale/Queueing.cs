using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Bench.Scale;

/// <summary>
/// Fills the queue directly, without request grains and waiting callers: the maximum of the queue and the batchers.
/// The completed pictures are counted from those that were enqueued and those that are left.
/// </summary>
internal sealed class Queueing(IConnectionMultiplexer redis, string model, int depth, int pictureBytes)
{
    private const int Writers = 32;
    private static readonly RedisKeys Keys = new();
    private readonly RequestQueue _queue = new(redis, Keys, Options.Create(new QueueOptions { Capacity = 1_000_000 }), new ClusterClock(TimeProvider.System));
    private long _put;

    /// <summary>Number of completed pictures.</summary>
    public async Task<long> DoneAsync() => Volatile.Read(ref _put) - await _queue.LengthAsync(model);

    public async Task RunAsync(CancellationToken stopped) =>
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(() => PutAsync(stopped), CancellationToken.None)));

    private async Task PutAsync(CancellationToken stopped)
    {
        var picture = new byte[pictureBytes];
        var database = redis.GetDatabase();
        while (!stopped.IsCancellationRequested)
        {
            var imageKey = $"{Guid.NewGuid():N}{Guid.NewGuid():N}";
            var now = DateTimeOffset.UtcNow;
            var item = new QueuedItem(new RequestKey(model, imageKey), now + TimeSpan.FromSeconds(60), now);
            var stored = database.StringSetAsync(Keys.Picture(imageKey), picture, TimeSpan.FromSeconds(90));
            while ((await _queue.EnqueueAsync(item, depth)).Outcome == EnqueueOutcome.Full && !stopped.IsCancellationRequested)
            {
                await Task.Delay(2, CancellationToken.None);
            }

            await stored;
            Interlocked.Increment(ref _put);
        }
    }
}
