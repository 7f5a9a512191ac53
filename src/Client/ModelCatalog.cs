using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>The models that silos serve, at most <see cref="FreshFor"/> old.</summary>
internal sealed class ModelCatalog(IConnectionMultiplexer redis, TimeProvider time)
{
    /// <summary>A replaced model is seen this soon.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();

    /// <summary>Full and short names. A model whose silos are away is remembered, so that its requests can wait for them.</summary>
    private volatile Dictionary<string, ModelInfo> _known = [];

    private Task<bool> _refreshing = Task.FromResult(false);
    private long _readAt;

    /// <summary>The silos that live.</summary>
    public async Task<IReadOnlyList<SiloReport>> ReadSilosAsync() =>
        SiloReport.Live(await redis.GetDatabase().HashGetAllAsync(RedisKeys.Silos), time.GetUtcNow());

    /// <summary>What the silos that live did.</summary>
    public async Task<IReadOnlyList<SiloHistory>> ReadHistoriesAsync() =>
        SiloHistory.Live(await redis.GetDatabase().HashGetAllAsync(RedisKeys.History), time.GetUtcNow());

    /// <summary>
    /// Finds a model by <c>name</c> or <c>name@version</c>. <c>Served</c> tells an unknown name from a cluster in which no silo
    /// serves any model yet.
    /// </summary>
    public async ValueTask<(ModelInfo? Model, bool Served)> FindAsync(string name)
    {
        if (_known.TryGetValue(name, out var model))
        {
            if (time.GetElapsedTime(Volatile.Read(ref _readAt)) > FreshFor)
            {
                // What is known will do for this request; a failure shows at the request's own commands.
                Refresh().Ignore();
            }

            return (model, true);
        }

        var served = await Refresh();
        return (_known.GetValueOrDefault(name), served);
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
        var known = new Dictionary<string, ModelInfo>(_known, StringComparer.Ordinal);
        var served = false;
        foreach (var silo in await ReadSilosAsync())
        {
            served |= silo.Models.Count > 0;

            // The current version of a name comes first in a report.
            foreach (var model in silo.Models.Reverse())
            {
                known[model.Name] = known[model.Id] = model;
            }
        }

        _known = known;
        Volatile.Write(ref _readAt, time.GetTimestamp());
        return served;
    }
}
