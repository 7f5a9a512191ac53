using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Hosting.Redis;

/// <summary>
/// Logs once, when a silo or front end has started and Redis answers, that Redis may evict keys. Leases, marks and webhooks have an expiry, so every
/// policy except <c>noeviction</c> may evict them. Under Sentinel it also logs when a server has no <see cref="ReplicaFence"/>. The process continues
/// in any case.
/// </summary>
internal sealed partial class EvictionCheck(IConfiguration configuration, TimeProvider time, ILogger<EvictionCheck> logger) : BackgroundService
{
    private const string Setting = "maxmemory-policy";
    private const string InfoField = "maxmemory_policy:";
    private const string Needed = "noeviction";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ReplicaFence _fence = new(logger);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A short separate connection: only it may send admin commands.
        var options = RedisConnection.Parse(configuration.GetConnectionString("redis")!);
        options.AllowAdmin = true;
        while (!await TryCheckAsync(options, stoppingToken))
        {
            // Nothing is logged: a process without Redis is not ready, which its health shows.
            await Task.Delay(Pause, time, stoppingToken);
        }
    }

    /// <summary>Checks every server.</summary>
    /// <returns>Whether any could be reached.</returns>
    private async Task<bool> TryCheckAsync(ConfigurationOptions options, CancellationToken stoppingToken)
    {
        try
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(stoppingToken);
            if (!redis.IsConnected)
            {
                return false;
            }

            foreach (var server in redis.GetServers())
            {
                await CheckAsync(server, isUnderSentinel: !string.IsNullOrEmpty(options.ServiceName));
            }

            return true;
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            return false;
        }
#pragma warning disable CA1031 // A check that only logs a warning must not end the host.
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(e);
            return true;
        }
    }

    private async Task CheckAsync(IServer server, bool isUnderSentinel)
    {
        var address = server.EndPoint.ToString()!;
        try
        {
            var policy = await FromInfoAsync(server) ?? await FromConfigurationAsync(server);
            if (policy is null)
            {
                LogUnknown(address);
            }
            else if (policy != Needed)
            {
                LogEvicts(address, policy);
            }

            if (isUnderSentinel)
            {
                await _fence.CheckAsync(server);
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // The replica is unreachable, or the user may run neither command.
            LogUnreadable(address, e.Message);
        }
    }

    /// <summary>The policy in INFO; managed servers often support INFO but not CONFIG.</summary>
    private static async Task<string?> FromInfoAsync(IServer server)
    {
        try
        {
            var lines = ((string?)await server.ExecuteAsync("INFO", "memory"))?.Split('\n', StringSplitOptions.TrimEntries) ?? [];
            return lines.FirstOrDefault(static line => line.StartsWith(InfoField, StringComparison.Ordinal))?[InfoField.Length..];
        }
        catch (RedisServerException)
        {
            return null;
        }
    }

    private static async Task<string?> FromConfigurationAsync(IServer server)
    {
        var answer = await server.ExecuteAsync("CONFIG", "GET", Setting);
        return answer.Length == 2 ? (string?)answer[1] : null;
    }

    [LoggerMessage(20, LogLevel.Warning, "Redis at {Server} has the maxmemory-policy '{Policy}' and evicts requests that wait, leases and webhooks when its memory is used up; set 'maxmemory-policy noeviction'.")]
    private partial void LogEvicts(string server, string policy);

    [LoggerMessage(21, LogLevel.Debug, "Redis at {Server} does not report its maxmemory-policy; make sure that it is 'noeviction'.")]
    private partial void LogUnknown(string server);

    [LoggerMessage(22, LogLevel.Information, "The maxmemory-policy of Redis at {Server} cannot be read: {Reason}. It must be 'noeviction'.")]
    private partial void LogUnreadable(string server, string reason);

    [LoggerMessage(24, LogLevel.Error, "The maxmemory-policy of Redis could not be checked. It must be 'noeviction'.")]
    private partial void LogFailed(Exception exception);
}
