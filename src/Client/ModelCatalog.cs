using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>The models that silos serve, at most <see cref="FreshFor"/> old.</summary>
internal sealed class ModelCatalog(IConnectionMultiplexer redis, RedisKeys keys, TimeProvider time)
{
    private readonly ClusterClock _clock = new(time);

    /// <summary>A replaced model is seen this soon.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    /// <summary>What is older is not used: silos let go of a version soon after.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long a model is remembered whose silos are away.</summary>
    private static readonly TimeSpan RememberFor = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();

    /// <summary>Full and short names. A model whose silos are away is remembered, so that its requests can wait for them.</summary>
    private volatile Dictionary<string, Known> _known = [];

    /// <summary>What is wrong with the files of a model, by its name.</summary>
    private volatile Dictionary<string, string> _problems = [];

    private Task<bool> _refreshing = Task.FromResult(false);
    private long _readAt;

    /// <summary>The silos that live.</summary>
    public async Task<IReadOnlyList<SiloReport>> ReadSilosAsync() =>
        SiloReport.Live(await ReadAsync(keys.Silos), _clock.GetUtcNow());

    /// <summary>What the silos that live did.</summary>
    public async Task<IReadOnlyList<SiloHistory>> ReadHistoriesAsync() =>
        SiloHistory.Live(await ReadAsync(keys.History), _clock.GetUtcNow());

    /// <summary>
    /// Finds a model by <c>name</c> or <c>name@version</c>. <c>Served</c> tells an unknown name from a cluster in which no silo
    /// serves any model yet, <c>Problem</c> why files of that name are not served.
    /// </summary>
    /// <param name="name">Name, or name and version.</param>
    /// <param name="toRun">Whether it is to answer new pictures, not only to name results that it left.</param>
    public async ValueTask<(ModelInfo? Model, bool Served, string? Problem)> FindAsync(string name, bool toRun)
    {
        var age = time.GetElapsedTime(Volatile.Read(ref _readAt));
        if (age <= StaleAfter && _known.TryGetValue(name, out var known) && !(toRun && known.IsGone))
        {
            if (age > FreshFor)
            {
                // What is known will do for this request; a failure shows at the request's own commands.
                Refresh().Ignore();
            }

            return (known.Model, true, null);
        }

        var served = await Refresh();
        known = _known.GetValueOrDefault(name);
        return (toRun && known is { IsGone: true } ? null : known?.Model, served, _problems.GetValueOrDefault(name));
    }

    /// <summary>Reads what silos wrote, and the time by which they did.</summary>
    private async Task<HashEntry[]> ReadAsync(string key)
    {
        var database = redis.GetDatabase();
        var asked = _clock.GetTimestamp();
        var now = database.TellTimeAsync();
        var entries = await database.HashGetAllAsync(key);
        _clock.Set(await now, asked);
        return entries;
    }

    private Task<bool> Refresh()
    {
        lock (_gate)
        {
            return _refreshing.IsCompleted ? _refreshing = RefreshAsync() : _refreshing;
        }
    }

    private async Task<bool> RefreshAsync()
    {
        var silos = await ReadSilosAsync();
        var now = time.GetTimestamp();

        // A silo that lives and no longer names a model has let go of it: its files were removed or replaced.
        var known = _known.ToDictionary(
            of => of.Key,
            of => of.Value with
            {
                IsGone = time.GetElapsedTime(of.Value.SeenAt) > RememberFor || silos.Any(silo => (silo.Silo, silo.StartedAt) == of.Value.Server),
            },
            StringComparer.Ordinal);
        var served = false;
        foreach (var silo in silos)
        {
            served |= silo.Models.Count > 0;

            // The current version of a name comes first in a report.
            foreach (var model in silo.Models.Reverse())
            {
                known[model.Name] = known[model.Id] = new Known(model, (silo.Silo, silo.StartedAt), now, IsGone: false);
            }
        }

        _known = known;
        _problems = SiloReport.ModelProblemsOf(silos);
        Volatile.Write(ref _readAt, time.GetTimestamp());
        return served;
    }

    /// <summary>A model with the process that served it when it was last seen.</summary>
    private sealed record Known(ModelInfo Model, (string Silo, DateTimeOffset StartedAt) Server, long SeenAt, bool IsGone);
}
