using Detection.Client;
using Detection.Contracts.Messages;
using Detection.Contracts.Storage;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>Answers items of the Redis list, or removes those that cannot be answered.</summary>
internal sealed class LegacyAnswerer(
    LegacyPictures pictures, IOptions<LegacyQueueOptions> options, TimeProvider time, ILogger<LegacyQueueService> logger)
{
    private static readonly TimeSpan BusyRetry = TimeSpan.FromMilliseconds(200);

    private readonly TimeSpan _deadline = options.Value.Deadline;

    /// <summary>Answers or removes an item. After a cancellation it is still in the taker's list.</summary>
    public async Task AnswerAsync(LegacyQueue queue, RedisValue raw, CancellationToken giveUp)
    {
        try
        {
            await TryAnswerAsync(queue, raw, giveUp);
        }
        catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
        {
            // The taker returns the item to the list.
        }
        catch (Exception e)
        {
            // A defect of this program. The item is removed, because it would fail again.
            logger.Failed(e);
            await ToRedisAsync(() => queue.DropAsync(raw), giveUp);
        }
    }

    private async Task TryAnswerAsync(LegacyQueue queue, RedisValue raw, CancellationToken giveUp)
    {
        if (queue.Read(raw, out var fault) is not { } item)
        {
            logger.NotUnderstood(CallerText.Show(fault, CallerText.MessageLength));
            await ToRedisAsync(() => queue.DropAsync(raw), giveUp);
            return;
        }

        PooledBytes answer;
        try
        {
            answer = await AnnotateAsync(item, giveUp);
        }
        catch (Exception e) when (e is DetectionException or ProblemException)
        {
            logger.Unanswered(CallerText.Show(item.ImageKey), CallerText.Show(e.Message, CallerText.MessageLength));
            await ToRedisAsync(() => queue.DropAsync(raw), giveUp);
            return;
        }

        using (answer)
        {
            if (!await answer.UseAsync(base64 => ToRedisAsync(() => queue.AnswerAsync(raw, item.ImageKey!, base64), giveUp)))
            {
                logger.Unanswered(CallerText.Show(item.ImageKey), "Its key in Redis is not a hash.");
            }
        }
    }

    /// <summary>Draws the answer; retries until the deadline while the cluster is too busy.</summary>
    private async Task<PooledBytes> AnnotateAsync(LegacyItem item, CancellationToken giveUp)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var left = _deadline - time.GetElapsedTime(started);
            try
            {
                return await pictures.AnnotateAsync(item, left > BusyRetry ? left : BusyRetry, giveUp);
            }
            catch (Exception e) when (left > BusyRetry && IsTransient(e))
            {
                await Task.Delay(BusyRetry, time, giveUp);
            }
        }
    }

    private static bool IsTransient(Exception e) => e is DetectionException or ProblemException
        && Failures.Of(e).Type.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable;

    /// <summary>Runs an action in Redis; retries while Redis cannot be reached.</summary>
    private async Task<T> ToRedisAsync<T>(Func<Task<T>> action, CancellationToken giveUp)
    {
        while (true)
        {
            giveUp.ThrowIfCancellationRequested();
            try
            {
                return await action();
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                logger.RedisFailed(e.Message);
                await Task.Delay(LegacyQueueService.RedisRetry, time, giveUp);
            }
        }
    }
}
