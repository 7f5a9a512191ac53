using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Grains.Cluster;

/// <summary>
/// Puts this silo back into the membership table when Redis has lost it (a restart without persistence, an eviction). Orleans
/// writes a silo's row only when its status changes, so that running silos would stay out of the table, and a new silo would find
/// it empty and form a second cluster.
/// </summary>
/// <remarks>
/// The table is one hash (Microsoft.Orleans.Clustering.Redis): a field per silo, named by its address, and the field <c>Version</c>,
/// a number that only grows. The row is put back as it was last read, under a version above all that this silo has seen.
/// </remarks>
internal sealed partial class MembershipGuard(
    IConnectionMultiplexer redis, ILocalSiloDetails silo, TimeProvider time, ILogger<MembershipGuard> logger) : BackgroundService
{
    private const string VersionField = "Version";

    // KEYS 1 table  ARGV 1 field of the silo, 2 its row, 3 version seen
    private const string RestoreScript = """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
            return 0
        end
        local version = math.max(tonumber(redis.call('HGET', KEYS[1], 'Version') or '0'), tonumber(ARGV[3])) + 1
        redis.call('HSET', KEYS[1], 'Version', version)
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return 1
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var field = silo.SiloAddress.ToString();
        RedisValue row = default;
        long version = 0;
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                var database = redis.GetDatabase();
                var read = await database.HashGetAsync(RedisKeys.Members, [field, VersionField]);
                if (read[0].HasValue)
                {
                    row = read[0];
                    version = Math.Max(version, (long)read[1]);
                }
                else if (row.HasValue
                    && (bool)await database.ScriptEvaluateAsync(RestoreScript, [RedisKeys.Members], [field, row, version]))
                {
                    LogRestored(field);
                }
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                LogUnreadable(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "Redis had lost the cluster's membership; silo {Silo} has put itself back")]
    private partial void LogRestored(string silo);

    [LoggerMessage(LogLevel.Debug, "The membership table cannot be read: {Reason}")]
    private partial void LogUnreadable(string reason);
}
