using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Grains.Cluster;

/// <summary>
/// Puts the membership table back when Redis has lost it (a restart without persistence, an eviction). Orleans writes a silo's row
/// only when its status changes, so that running silos would stay out of the table, and a new silo would find it empty and form a
/// second cluster.
/// </summary>
/// <remarks>
/// The table is one hash (Microsoft.Orleans.Clustering.Redis): a field per silo, named by its address, and the field <c>Version</c>,
/// a number that only grows. All rows are put back at once, as they were last read, under a version above all that this silo has
/// seen: a silo that finds itself missing in a newer table takes itself for dead and ends. One that has died meanwhile is noticed by
/// the usual probes.
/// </remarks>
internal sealed partial class MembershipGuard(
    IConnectionMultiplexer redis, RedisKeys keys, ILocalSiloDetails silo, TimeProvider time, ILogger<MembershipGuard> logger) : BackgroundService
{
    private const string VersionField = "Version";

    // KEYS 1 table  ARGV 1 field of this silo, 2 version seen, then field and row of each silo
    private const string RestoreScript = """
        local last = tonumber(redis.call('HGET', KEYS[1], 'Version') or '')
        if last and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
            return 0
        end
        local version = math.max(last or 0, tonumber(ARGV[2])) + 1
        for i = 3, #ARGV, 2 do
            redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
        end
        redis.call('HSET', KEYS[1], 'Version', version)
        return 1
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var field = silo.SiloAddress.ToString();
        HashEntry[] rows = [];
        long version = 0;
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                var database = redis.GetDatabase();
                var table = await database.HashGetAllAsync(keys.Members);
                if (table.Any(entry => entry.Name == field) && table.FirstOrDefault(entry => entry.Name == VersionField).Value.TryParse(out long last))
                {
                    rows = [.. table.Where(entry => entry.Name != VersionField)];
                    version = Math.Max(version, last);
                }
                else if (rows.Length > 0
                    && (bool)await database.ScriptEvaluateAsync(
                        RestoreScript,
                        [keys.Members],
                        [field, version, .. rows.SelectMany(entry => new[] { entry.Name, entry.Value })]))
                {
                    LogRestored(field, rows.Length);
                }
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                LogUnreadable(e.Message);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever stands in the table: a watcher that ends would end the silo.
                LogRoundFailed(e, Interval);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "Redis had lost the cluster's membership; silo {Silo} has put its {Rows} rows back")]
    private partial void LogRestored(string silo, int rows);

    [LoggerMessage(LogLevel.Warning, "Looking at the membership table failed; looking again in {Delay}")]
    private partial void LogRoundFailed(Exception exception, TimeSpan delay);

    [LoggerMessage(LogLevel.Debug, "The membership table cannot be read: {Reason}")]
    private partial void LogUnreadable(string reason);
}
