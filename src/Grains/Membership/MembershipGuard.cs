using System.Globalization;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Grains.Membership;

/// <summary>
/// Restores the membership table when Redis has lost it (a restart without persistence, an eviction), and its version when that is not a number any
/// more. Orleans writes a silo's row only when its status changes. So running silos would stay out of the table, and a new silo would find it empty
/// and form a second cluster. Orleans neither reads nor writes a table without a version.
/// </summary>
/// <remarks>
/// The table is one hash (Microsoft.Orleans.Clustering.Redis): a field per silo, named by its address, and the field <c>Version</c>, a number that
/// only grows. All rows are restored at once, as they were last read, with a version above all that this silo has seen: a silo that is missing in a
/// newer table considers itself dead and ends. A silo that has died meanwhile is detected by the usual probes.
/// </remarks>
internal sealed partial class MembershipGuard(
    IConnectionMultiplexer redis, RedisKeys keys, ILocalSiloDetails silo, TimeProvider time, ILogger<MembershipGuard> logger) : BackgroundService
{
    private const string VersionField = "Version";

    // KEYS 1 table  ARGV 1 field of this silo, 2 version seen, then field and row of each silo
    private const string RestoreScript = """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
            return 0
        end
        local version = math.max(tonumber(redis.call('HGET', KEYS[1], 'Version') or '0') or 0, tonumber(ARGV[2])) + 1
        for i = 3, #ARGV, 2 do
            redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
        end
        redis.call('HSET', KEYS[1], 'Version', version)
        return 1
        """;

    // KEYS 1 table  ARGV 1 the version that is no number, 2 version seen
    private const string RepairScript = """
        if (redis.call('HGET', KEYS[1], 'Version') or '') ~= ARGV[1] then
            return 0
        end
        redis.call('HSET', KEYS[1], 'Version', ARGV[2] + 1)
        return 1
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly string _field = silo.SiloAddress.ToString();
    private HashEntry[] _rows = [];
    private int _version;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new PeriodicWork(Interval, time, logger).RunAsync(GuardAsync, LogUnreadable, stoppingToken);

    private async Task GuardAsync(CancellationToken stoppingToken)
    {
        var database = redis.GetDatabase();
        var table = await database.HashGetAllAsync(keys.Members);
        if (!table.Any(entry => entry.Name == _field))
        {
            await RestoreAsync(database);
            return;
        }

        _rows = [.. table.Where(entry => entry.Name != VersionField)];
        var version = table.FirstOrDefault(entry => entry.Name == VersionField).Value;

        // As Orleans reads it.
        if (int.TryParse((string?)version, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number))
        {
            _version = Math.Max(_version, number);
        }
        else
        {
            await RepairAsync(database, version);
        }
    }

    private async Task RestoreAsync(IDatabase database)
    {
        if (_rows.Length > 0
            && (bool)await database.ScriptEvaluateAsync(
                RestoreScript, [keys.Members], [_field, _version, .. _rows.SelectMany(entry => new[] { entry.Name, entry.Value })]))
        {
            LogRestored(_field, _rows.Length);
        }
    }

    private async Task RepairAsync(IDatabase database, RedisValue broken)
    {
        if ((bool)await database.ScriptEvaluateAsync(RepairScript, [keys.Members], [broken.IsNull ? "" : broken, _version]))
        {
            LogRepaired(keys.Members, _version + 1);
        }
    }

    [LoggerMessage(2, LogLevel.Warning, "The field Version of {Table} was not a number; it was reset to {Version}, and silos can join and leave again.", EventName = "VersionRepaired")]
    private partial void LogRepaired(string table, int version);

    [LoggerMessage(3, LogLevel.Warning, "Redis lost the membership table; silo {Silo} restored its {Rows} rows.", EventName = "MembershipRestored")]
    private partial void LogRestored(string silo, int rows);

    [LoggerMessage(4, LogLevel.Debug, "The membership table was not read; retrying: {Reason}", EventName = "MembershipUnreadable")]
    private partial void LogUnreadable(string reason);
}
