using System.Buffers.Text;
using System.Text;
using Detection.Client;
using Detection.Contracts.Messages;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Detection.Frontend.Http.Drawing;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>
/// Answers what the replaced system's front end pushes into its Redis list. That front end looks for its answer three times within
/// 1.4 s and takes whatever text it finds for a picture; so nothing at all is written for a picture that cannot be answered.
/// </summary>
internal sealed partial class LegacyQueueService(
    IDetectionClient client,
    AnnotatedPictures pictures,
    UploadMemory memory,
    IOptions<LegacyQueueOptions> options,
    IOptions<DetectionClientOptions> clientOptions,
    TimeProvider time,
    ILogger<LegacyQueueService> logger) : BackgroundService
{
    private const string UrlProperty = "imageUrl";

    /// <summary>The list's users share one share of the queue: nobody can tell them apart.</summary>
    private const string Caller = "legacy-queue";

    // Within the host's own 30 s.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RedisRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan BusyRetry = TimeSpan.FromMilliseconds(200);

    private readonly LegacyQueueOptions _options = options.Value;
    private readonly RedisKeys _keys = new(clientOptions.Value.ClusterId);
    private readonly UploadShare _share = memory.ShareOf(Caller);
    private readonly int _maxPicture = UploadReader.MaxPictureBytes(clientOptions.Value);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var connections = new RedisConnections(clientOptions.Value.Redis);
        if (await ConnectAsync(connections, stoppingToken) is not { } redis)
        {
            return;
        }

        var taker = Guid.NewGuid().ToString("N");
        var queue = new LegacyQueue(redis.GetDatabase(), _keys, _options, taker);
        Serving(_options.Queue, taker);

        using var places = new SemaphoreSlim(_options.MaxConcurrent);
        using var giveUp = new CancellationTokenSource();
        await Task.WhenAll(HoldAsync(queue, stoppingToken), DrainAsync(queue, places, stoppingToken, giveUp.Token));

        // What is under way may end; what does not is put back for another front end.
        giveUp.CancelAfter(StopTimeout);
        for (var place = 0; place < _options.MaxConcurrent; place++)
        {
            await places.WaitAsync(CancellationToken.None);
        }

        try
        {
            await queue.LeaveAsync();
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // The others find out by its lease.
            RedisFailed(e.Message);
        }
    }

    /// <summary>Connects as soon as Redis, or a Sentinel of it, can be reached; <see langword="null"/> when the service stops before.</summary>
    private async Task<IConnectionMultiplexer?> ConnectAsync(RedisConnections connections, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                return await connections.ConnectAsync();
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                RedisFailed(e.Message);
                await Task.WhenAny(Task.Delay(RedisRetry, time, stopping));
            }
        }

        return null;
    }

    /// <summary>Keeps the lease, and looks after the items of those who did not.</summary>
    private async Task HoldAsync(LegacyQueue queue, CancellationToken stopping)
    {
        try
        {
            await new PeriodicWork(_options.Lease / 4, time, logger).RunAsync(RenewAsync, RedisFailed, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The lease ends when what is under way has ended.
        }

        async Task RenewAsync(CancellationToken token)
        {
            await queue.RenewAsync();
            var (back, dropped) = await queue.RecoverAsync();
            if (back + dropped > 0)
            {
                Recovered(back, dropped);
            }
        }
    }

    private async Task DrainAsync(LegacyQueue queue, SemaphoreSlim places, CancellationToken stopping, CancellationToken giveUp)
    {
        var pause = _options.PollInterval / 10;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await places.WaitAsync(stopping);
                var taken = await TakeAsync(queue, places);
                foreach (var item in taken)
                {
                    _ = Task.Run(() => WorkAsync(queue, item, places, giveUp), CancellationToken.None);
                }

                if (taken.Length > 0)
                {
                    pause = _options.PollInterval / 10;
                    continue;
                }

                await Task.Delay(pause, time, stopping);
                pause = pause * 2 < _options.PollInterval ? pause * 2 : _options.PollInterval;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                RedisFailed(e.Message);
                await Task.WhenAny(Task.Delay(RedisRetry, time, stopping));
            }
#pragma warning disable CA1031 // An unforeseen error of one round must not end the host; the next round tries again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
                await Task.WhenAny(Task.Delay(RedisRetry, time, stopping));
            }
        }
    }

    /// <summary>Takes as many items as there are places; one place is held already. Places without an item are given back.</summary>
    private static async Task<RedisValue[]> TakeAsync(LegacyQueue queue, SemaphoreSlim places)
    {
        var held = 1;
        RedisValue[] taken = [];
        try
        {
            while (places.Wait(0))
            {
                held++;
            }

            if (await queue.TakeAsync(held) is { } items)
            {
                taken = items;
            }
            else
            {
                await queue.RenewAsync();
            }

            return taken;
        }
        finally
        {
            if (held > taken.Length)
            {
                places.Release(held - taken.Length);
            }
        }
    }

    private async Task WorkAsync(LegacyQueue queue, RedisValue raw, SemaphoreSlim places, CancellationToken giveUp)
    {
        try
        {
            await AnswerAsync(queue, raw, giveUp);
        }
        catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
        {
            // It is still in the taker's list and put back from there.
        }
        catch (Exception e)
        {
            // A defect here. The item is let go, since it would only bring the same again.
            Failed(e);
            await ToRedisAsync(() => queue.DropAsync(raw), giveUp);
        }
        finally
        {
            places.Release();
        }
    }

    private async Task AnswerAsync(LegacyQueue queue, RedisValue raw, CancellationToken giveUp)
    {
        if (LegacyItem.Read(((ReadOnlyMemory<byte>)raw).Span, _options.Queue, _keys, out var fault) is not { } item)
        {
            NotUnderstood(CallerText.Show(fault, CallerText.MessageLength));
            await ToRedisAsync(() => queue.DropAsync(raw), giveUp);
            return;
        }

        PooledBytes answer;
        try
        {
            answer = await DetectAsync(item, giveUp);
        }
        catch (Exception e) when (e is DetectionException or ProblemException)
        {
            Unanswered(CallerText.Show(item.ImageKey), CallerText.Show(e.Message, CallerText.MessageLength));
            await ToRedisAsync(() => queue.DropAsync(raw), giveUp);
            return;
        }

        using (answer)
        {
            try
            {
                var answered = true;
                await ToRedisAsync(async () => answered = await queue.AnswerAsync(raw, item.ImageKey!, answer.Memory), giveUp);
                if (!answered)
                {
                    Unanswered(CallerText.Show(item.ImageKey), "Under this key stands something else.");
                }
            }
            catch
            {
                // It may still be in a write to Redis.
                answer.Abandon();
                throw;
            }
        }
    }

    /// <summary>The annotated picture in base64. Tries again while the cluster is too busy, until the deadline.</summary>
    private async Task<PooledBytes> DetectAsync(LegacyItem item, CancellationToken giveUp)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var left = _options.Deadline - time.GetElapsedTime(started);
            try
            {
                return await DetectAsync(item, left > BusyRetry ? left : BusyRetry, giveUp);
            }
            catch (Exception e) when (left > BusyRetry && IsPassing(e))
            {
                await Task.Delay(BusyRetry, time, giveUp);
            }
        }
    }

    private async Task<PooledBytes> DetectAsync(LegacyItem item, TimeSpan left, CancellationToken giveUp)
    {
        var detection = new DetectionOptions { Deadline = left, Caller = Caller };
        if (item.ImageUrl!.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || item.ImageUrl.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            var url = Uri.TryCreate(item.ImageUrl, UriKind.Absolute, out var address)
                ? address
                : throw new ProblemException(ProblemType.InvalidRequest, $"The '{UrlProperty}' is not an absolute URL.");
            var found = await client.DetectAsync(url, detection, giveUp);
            using var annotated = await pictures.FetchAndDrawAsync(found, detection, _share, giveUp);
            return ToBase64(annotated);
        }

        using var picture = new PooledBytes(_share);
        picture.Advance(Encoding.UTF8.GetBytes(item.ImageUrl, picture.GetSpan(Encoding.UTF8.GetByteCount(item.ImageUrl))));
        Base64Picture.Decode(picture, 0, picture.Memory.Length, UrlProperty, _maxPicture);
        try
        {
            using var annotated = await pictures.DrawAsync(picture.Memory, await client.DetectAsync(picture.Memory, detection, giveUp), _share, giveUp);
            return ToBase64(annotated);
        }
        catch
        {
            // A client that gave up may still have the picture in a write to Redis.
            picture.Abandon();
            throw;
        }
    }

    private PooledBytes ToBase64(PooledBytes jpeg)
    {
        var base64 = new PooledBytes(_share);
        try
        {
            Base64.EncodeToUtf8(jpeg.Span, base64.GetSpan(Base64.GetMaxEncodedToUtf8Length(jpeg.Span.Length)), out _, out var written);
            base64.Advance(written);
            return base64;
        }
        catch
        {
            base64.Dispose();
            throw;
        }
    }

    /// <summary>Whether a failure says nothing about the picture and may be over soon.</summary>
    private static bool IsPassing(Exception e) =>
        e is DetectionException { Error: DetectionError.Busy or DetectionError.ShareUsed or DetectionError.StorageFull or DetectionError.Unavailable }
        || (e is ProblemException problem && (problem.Type == ProblemType.TooManyUploads || problem.Type == ProblemType.RateLimited || problem.Type == ProblemType.DrawingBusy));

    /// <summary>Does something in Redis, again and again while it is away.</summary>
    private async Task ToRedisAsync(Func<Task> action, CancellationToken giveUp)
    {
        while (true)
        {
            giveUp.ThrowIfCancellationRequested();
            try
            {
                await action();
                return;
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                RedisFailed(e.Message);
                await Task.Delay(RedisRetry, time, giveUp);
            }
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "The Redis list {Queue} is served by {Taker}.")]
    private partial void Serving(string queue, string taker);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{ImageKey} from the Redis list stays without an answer: {Reason}")]
    private partial void Unanswered(string imageKey, string reason);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "An item of the Redis list is not understood: {Reason}")]
    private partial void NotUnderstood(string? reason);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "Dead front ends held items of the Redis list: {Back} were put back, {Dropped} given up.")]
    private partial void Recovered(int back, int dropped);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "The Redis list cannot be served at this time: {Reason}")]
    private partial void RedisFailed(string reason);

    [LoggerMessage(EventId = 6, Level = LogLevel.Error, Message = "An item of the Redis list failed.")]
    private partial void Failed(Exception exception);
}
