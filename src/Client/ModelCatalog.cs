using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>
/// The models of the cluster, and how long its silos fetch a picture, read again each second. Also compares how the silos and this process make image
/// keys.
/// </summary>
internal sealed class ModelCatalog(ClientConnections connections, ImageKeyComparison imageKeys, TimeProvider time)
{
    private readonly SiloBoard _board = connections.Board;
    private readonly ClusterClock _clock = new(time);

    /// <summary>Models are read again after this time.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    /// <summary>Models that were read longer ago are not used.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(5);

    /// <summary>The largest limit that the setting <c>Detection:Fetch:Timeout</c> allows: that of a silo that does not report its own.</summary>
    private static readonly TimeSpan LongestFetch = TimeSpan.FromMinutes(1);

    /// <summary>Maximum time after a deadline in which to find out what it passed for.</summary>
    private static readonly TimeSpan LongestExplanation = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private volatile Reading _reading = new(ModelDirectory.Empty, new Dictionary<string, string>(), LongestFetch, null);
    private Task? _refreshing;
    private long _readAt;
    private volatile bool _isStale = true;

    /// <summary>The longest fetch timeout that the silos reported at the last reading.</summary>
    public TimeSpan FetchTimeout => _reading.FetchTimeout;

    /// <summary>The live silos.</summary>
    public async Task<IReadOnlyList<SiloReport>> ReadSilosAsync() =>
        SiloReport.Live(await ReadAsync(_board.ReadReportsAsync), _clock.GetUtcNow());

    /// <summary>The histories of the live silos.</summary>
    public async Task<IReadOnlyList<SiloHistory>> ReadHistoriesAsync() =>
        SiloHistory.Live(await ReadAsync(_board.ReadHistoriesAsync), _clock.GetUtcNow());

    /// <summary>Finds a model by <c>name</c> or <c>name@version</c>.</summary>
    /// <param name="name">Name, or name and version.</param>
    /// <param name="toRun">Whether the model must accept new pictures. Otherwise a version is found as long as its results are kept.</param>
    public async ValueTask<Finding> FindAsync(string name, bool toRun)
    {
        var isNew = await LookAsync();
        if (!isNew && _reading.Models.Find(name) is { } known && (known.Accepts || !toRun))
        {
            return new Finding(known, null, true, null, []);
        }

        if (!isNew)
        {
            await Refresh();
        }

        var reading = _reading;
        var entry = reading.Models.Find(name);
        var current = entry is null ? null : reading.Models.Find(entry.Model.Name);
        return new Finding(entry, current is { Accepts: true } ? current.Model : null, reading.Models.Serves, reading.Problems.GetValueOrDefault(name), reading.Silos ?? []);
    }

    /// <summary>Reads the models and compares the image keys of the silos, unless that was done within the last second.</summary>
    /// <returns>Whether it was done for this call.</returns>
    public async ValueTask<bool> LookAsync()
    {
        var age = time.GetElapsedTime(Volatile.Read(ref _readAt));
        if (age > StaleAfter || _isStale)
        {
            await Refresh();
            return true;
        }

        if (age > FreshFor)
        {
            // The cached models are good enough for this request. A failure shows at the request's own commands.
            Refresh().Ignore();
        }

        return false;
    }

    /// <summary>Makes the next call read Redis again, after a silo reported that a model is gone.</summary>
    public void Invalidate() => _isStale = true;

    /// <summary>
    /// Why no device processes the pictures of a model; <see langword="null"/> when one does, or when nothing is known of the silos. The silos are read
    /// again, for a moment at most, because they may have changed since the request began.
    /// </summary>
    /// <param name="name">Name, or name and version.</param>
    public async Task<string?> ExplainAsync(string name)
    {
        try
        {
            await Refresh().WaitAsync(LongestExplanation, time);
        }
        catch (Exception e) when (e is TimeoutException or RedisException)
        {
            // The last reading has to do.
        }

        return _reading.Silos is { } silos ? ModelMessages.Unprocessed(name, silos) : null;
    }

    /// <summary>Reads what silos wrote, and the time of Redis, by which it is dated.</summary>
    private async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        await _board.ConnectAsync();
        var asked = _clock.GetTimestamp();
        var now = _board.ReadTimeAsync();
        var result = await read();
        _clock.Set(await now, asked);
        return result;
    }

    private Task Refresh()
    {
        lock (_gate)
        {
            return _refreshing is { IsCompleted: false } ? _refreshing : _refreshing = RefreshAsync();
        }
    }

    private async Task RefreshAsync()
    {
        await _board.ConnectAsync();
        _isStale = false;

        // In the same round trip as what follows.
        var mark = _board.ReadImageKeysAsync();

        // In this order: see ModelDirectory.
        var records = await _board.ReadModelsAsync();
        imageKeys.Compare(await mark);
        var silos = await ReadSilosAsync();
        _reading = new Reading(ModelDirectory.Of(silos, records, _clock.GetUtcNow()), SiloReport.ModelProblemsOf(silos), LongestOf(silos), silos);
        Volatile.Write(ref _readAt, time.GetTimestamp());
    }

    private static TimeSpan LongestOf(IReadOnlyList<SiloReport> silos) =>
        silos.Count == 0 ? LongestFetch : silos.Max(static silo => silo.FetchTimeout ?? LongestFetch);

    /// <summary>What is known about a model.</summary>
    /// <param name="Entry">The model; <see langword="null"/> when it is not known.</param>
    /// <param name="Current">The version that serves requests for the model's name; <see langword="null"/> when none is known to.</param>
    /// <param name="Served">Whether any silo serves any model: distinguishes an unknown name from a cluster that serves no model yet.</param>
    /// <param name="Problem">Why the files of that model are not served.</param>
    /// <param name="Silos">The live silos, when the model is not known.</param>
    public readonly record struct Finding(ModelEntry? Entry, ModelInfo? Current, bool Served, string? Problem, IReadOnlyList<SiloReport> Silos);

    private sealed record Reading(ModelDirectory Models, IReadOnlyDictionary<string, string> Problems, TimeSpan FetchTimeout, IReadOnlyList<SiloReport>? Silos);
}
