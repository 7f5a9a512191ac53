using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>Takes items from the Redis list, as many as may be in progress at the same time.</summary>
internal sealed class LegacyTaker(LegacyQueue queue, LegacyAnswerer answerer, LegacyQueueOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.MaxConcurrent);

    /// <summary>Takes items until the service stops.</summary>
    public async Task DrainAsync(CancellationToken stopping, CancellationToken giveUp)
    {
        var pause = options.PollInterval / 10;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(stopping);
                var taken = await TakeAsync();
                foreach (var item in taken)
                {
                    _ = Task.Run(() => WorkAsync(item, giveUp), CancellationToken.None);
                }

                if (taken.Length > 0)
                {
                    pause = options.PollInterval / 10;
                    continue;
                }

                await Task.Delay(pause, time, stopping);
                pause = pause * 2 < options.PollInterval ? pause * 2 : options.PollInterval;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                logger.RedisFailed(e.Message);
                await Task.WhenAny(Task.Delay(LegacyQueueService.RedisRetry, time, stopping));
            }
#pragma warning disable CA1031 // An unforeseen error of one round must not end the host; the next round tries again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.Failed(e);
                await Task.WhenAny(Task.Delay(LegacyQueueService.RedisRetry, time, stopping));
            }
        }
    }

    /// <summary>Waits until no item is in progress.</summary>
    public async Task WaitAsync()
    {
        for (var place = 0; place < options.MaxConcurrent; place++)
        {
            await _places.WaitAsync(CancellationToken.None);
        }
    }

    public void Dispose() => _places.Dispose();

    /// <summary>Takes as many items as there are free places, and releases the places that get no item. The caller holds one place.</summary>
    private async Task<RedisValue[]> TakeAsync()
    {
        var held = 1;
        RedisValue[] taken = [];
        try
        {
            while (_places.Wait(0))
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
                _places.Release(held - taken.Length);
            }
        }
    }

    private async Task WorkAsync(RedisValue item, CancellationToken giveUp)
    {
        try
        {
            await answerer.AnswerAsync(queue, item, giveUp);
        }
        finally
        {
            _places.Release();
        }
    }
}
