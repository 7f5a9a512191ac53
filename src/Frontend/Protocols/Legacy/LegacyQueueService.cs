using Detection.Client;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>
/// Answers the items that the replaced system's front end pushes to its Redis list. That front end looks for the answer three times within
/// 1.4 s and shows any text that it finds as a picture. Therefore nothing is written for a picture that fails.
/// </summary>
internal sealed class LegacyQueueService(
    LegacyAnswerer answerer,
    IOptions<LegacyQueueOptions> options,
    IOptions<DetectionClientOptions> clientOptions,
    TimeProvider time,
    ILogger<LegacyQueueService> logger) : BackgroundService
{
    /// <summary>Pause before a retry when Redis cannot be reached.</summary>
    public static readonly TimeSpan RedisRetry = TimeSpan.FromMilliseconds(500);

    // Shorter than the host's timeout of 30 s.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly LegacyQueueOptions _options = options.Value;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var connections = new RedisConnections(clientOptions.Value.Redis);
        if (await ConnectAsync(connections, stoppingToken) is not { } redis)
        {
            return;
        }

        var name = Guid.NewGuid().ToString("N");
        var queue = new LegacyQueue(redis, clientOptions.Value.ClusterId, _options, name);
        logger.Serving(_options.Queue, name);

        using var taker = new LegacyTaker(queue, answerer, _options, time, logger);
        using var giveUp = new CancellationTokenSource();
        await Task.WhenAll(HoldAsync(queue, stoppingToken), taker.DrainAsync(stoppingToken, giveUp.Token));

        // Items in progress may complete within the timeout; the others are returned for another front end.
        giveUp.CancelAfter(StopTimeout);
        await taker.WaitAsync();
        try
        {
            await queue.LeaveAsync();
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // The other takers return the items when the lease expires.
            logger.RedisFailed(e.Message);
        }
    }

    /// <summary>Retries until Redis or a Sentinel can be reached; <see langword="null"/> when the service stops before.</summary>
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
                logger.RedisFailed(e.Message);
                await Task.WhenAny(Task.Delay(RedisRetry, time, stopping));
            }
        }

        return null;
    }

    /// <summary>Renews the lease, and returns the items of takers whose lease expired.</summary>
    private async Task HoldAsync(LegacyQueue queue, CancellationToken stopping)
    {
        try
        {
            await new PeriodicWork(_options.Lease / 4, time, logger).RunAsync(RenewAsync, logger.RedisFailed, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The lease stays until the items in progress have ended.
        }

        async Task RenewAsync(CancellationToken token)
        {
            await queue.RenewAsync();
            var (back, dropped) = await queue.RecoverAsync();
            if (back + dropped > 0)
            {
                logger.Recovered(back, dropped);
            }
        }
    }
}
