using Detection.Contracts.Storage;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Contracts.Cluster;

/// <summary>
/// What the silos of a cluster publish in Redis: their reports (<see cref="RedisKeys.Silos"/>), their histories (<see cref="RedisKeys.History"/>) and
/// the models that they serve or served (<see cref="RedisKeys.Models"/>). A silo writes its report before the records of its models. So a reader that
/// reads the records first finds a report for every version that is served: see <see cref="ModelDirectory"/>.
/// </summary>
/// <param name="connections">The connections of the process.</param>
/// <param name="keys">Keys of the cluster in Redis.</param>
/// <param name="logger">For its messages.</param>
public sealed partial class SiloBoard(RedisConnections connections, RedisKeys keys, ILogger<SiloBoard> logger)
{
    /// <summary>How long a report and a history stay in Redis after they were written, so that people can still see them.</summary>
    private static readonly TimeSpan Lifetime = 6 * SiloReport.Lifetime;

    /// <summary>How long the records of models outlive the last silo.</summary>
    private static readonly TimeSpan RecordLifetime = TimeSpan.FromDays(1);

    private static readonly string ReportScript = EmbeddedScript.Read(typeof(SiloBoard), "report");

    /// <summary>Connects to Redis if not connected, so that later commands are sent at once.</summary>
    public async Task ConnectAsync() => await connections.ConnectAsync();

    /// <summary>All readable reports, also those of silos that are gone; see <see cref="SiloReport.Live"/>.</summary>
    public async Task<IReadOnlyList<SiloReport>> ReadReportsAsync() => await ReadAsync(keys.Silos, static json => SiloReport.Deserialize(json));

    /// <summary>All readable histories, also those of silos that are gone; see <see cref="SiloHistory.Live"/>.</summary>
    public async Task<IReadOnlyList<SiloHistory>> ReadHistoriesAsync() => await ReadAsync(keys.History, static json => SiloHistory.Deserialize(json));

    /// <summary>The model versions that silos serve or served. Read them before the reports.</summary>
    public async Task<IReadOnlyList<ModelRecord>> ReadModelsAsync() => ModelRecord.Read(await (await DatabaseAsync()).HashGetAllAsync(keys.Models));

    /// <summary>A proof of the secret with which the silos make image keys; <see langword="null"/> when there is none.</summary>
    public async Task<string?> ReadImageKeysAsync() => await (await DatabaseAsync()).StringGetAsync(keys.ImageKeys);

    /// <summary>The time of Redis, by which reports are dated.</summary>
    public async Task<DateTimeOffset> ReadTimeAsync() => await (await DatabaseAsync()).ReadTimeAsync();

    /// <summary>Writes the report of a silo.</summary>
    public Task WriteAsync(SiloReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return WriteAsync(keys.Silos, report.Silo, report.Serialize(), Lifetime);
    }

    /// <summary>Writes the history of a silo.</summary>
    public Task WriteAsync(SiloHistory history)
    {
        ArgumentNullException.ThrowIfNull(history);
        return WriteAsync(keys.History, history.Silo, history.Serialize(), Lifetime);
    }

    /// <summary>Writes that a silo serves a version of a model.</summary>
    public Task WriteAsync(ModelRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return WriteAsync(keys.Models, record.Model.Id, record.Serialize(), RecordLifetime);
    }

    /// <summary>Removes the report and the history of a silo that stops.</summary>
    public async Task RemoveAsync(string silo)
    {
        var database = await DatabaseAsync();

        // Both at once: while Redis is unreachable, each takes the full command timeout.
        await Task.WhenAll(database.HashDeleteAsync(keys.Silos, silo), database.HashDeleteAsync(keys.History, silo));
    }

    /// <summary>Removes the record of a version.</summary>
    public async Task RemoveModelAsync(string model) => await (await DatabaseAsync()).HashDeleteAsync(keys.Models, model);

    /// <summary>Removes what silos that crashed left behind.</summary>
    /// <param name="now">The time by which reports are dated.</param>
    public async Task RemoveStaleAsync(DateTimeOffset now)
    {
        var database = await DatabaseAsync();
        foreach (var field in await database.HashGetAllAsync(keys.Silos))
        {
            if (SiloReport.Deserialize((byte[])field.Value!) is { } report && now - report.ReportedAt > Lifetime)
            {
                await database.HashDeleteAsync(keys.Silos, field.Name);
                await database.HashDeleteAsync(keys.History, field.Name);
            }
        }
    }

    private async Task<List<T>> ReadAsync<T>(string key, Func<byte[], T?> read)
        where T : class
    {
        var fields = await (await DatabaseAsync()).HashGetAllAsync(key);
        return [.. fields.Select(field => read((byte[])field.Value!)).OfType<T>()];
    }

    private async Task WriteAsync(string key, string field, byte[] value, TimeSpan lifetime)
    {
        var replaced = (string?)await (await DatabaseAsync()).ScriptEvaluateAsync(ReportScript, [key], [field, value, (long)lifetime.TotalMilliseconds]);
        if (replaced is not null)
        {
            LogReplaced(key, replaced);
        }
    }

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectAsync()).GetDatabase();

    [LoggerMessage(2, LogLevel.Warning, "The key {Key} was a {Type}, not a hash; it was deleted, and the silos write their reports again.", EventName = "BoardReplaced")]
    private partial void LogReplaced(string key, string type);
}
