using System.Threading.Channels;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Repository;

/// <summary>
/// The models of a folder, and their changes. A file that was replaced is a new version of its model; one that cannot be
/// read is reported as a problem and leaves the version before it in place; one that was removed is gone.
/// </summary>
public sealed class ModelRepository
{
    /// <summary>Files that go on changing are read all the same after this many settle times.</summary>
    private const int MaxSettleRounds = 60;

    private readonly ModelOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelRepository> _logger;
    private readonly Lock _scanning = new();
    private readonly Channel<bool> _changes;
    private readonly ModelReadings _readings;
    private volatile ModelSet _current = ModelSet.Empty;

    /// <summary>Opens the folder that the settings name; nothing is read yet.</summary>
    public ModelRepository(IOptions<ModelOptions> options, TimeProvider time, ILogger<ModelRepository> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time, _logger) = (options.Value, time, logger);
        _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        _readings = new ModelReadings(_options, time, () => _changes.Writer.TryWrite(true));
    }

    /// <summary>Called after each change, from one thread at a time. Must return soon and not throw.</summary>
    public event Action<ModelSet>? Changed;

    /// <summary>The models of the last scan; none before the first.</summary>
    public ModelSet Current => _current;

    /// <summary>The model that is read first.</summary>
    public string DefaultName => _options.Default;

    /// <summary>Names of the models that a folder has now; none when it cannot be read.</summary>
    public static IReadOnlyCollection<string> FindNames(string folder) => ModelFolder.TryFind(folder).Keys;

    /// <summary>The file or the folder of a model, as <see cref="ModelPlace.Of"/> takes it; <see langword="null"/> when a folder has none of that name.</summary>
    public static string? FindPath(string folder, string name) => ModelFolder.TryFind(folder).GetValueOrDefault(name)?.Path;

    /// <summary>
    /// Scans the folder now. Files that have not changed are not read again. Models that take long to be read are not waited for: they
    /// are reported as being loaded, and a later scan has them.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting for what is being read.</param>
    /// <returns>The models as they are now.</returns>
    public ModelSet Scan(CancellationToken cancellationToken = default)
    {
        lock (_scanning)
        {
            try
            {
                var files = ModelFolder.Find(_options.Directory);
                _readings.Forget(files);
                foreach (var (name, file) in files.OrderByDescending(file => file.Key == _options.Default))
                {
                    _readings.Start(name, file);
                }

                while (_readings.Wait(cancellationToken))
                {
                    Publish(_readings.Read(files));
                }

                return Publish(_readings.Read(files));
            }
#pragma warning disable CA1031 // What the folder holds must not end the loop that scans it.
            catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
            {
                // A share that is away for a moment must not take the models from their callers.
                return Publish(new ModelSet(
                    new Dictionary<string, ModelSource>(_current.Models, StringComparer.Ordinal),
                    new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["*"] = $"The folder of the models cannot be read, make {_options.Directory} readable: {e.Message}",
                    }));
            }
        }
    }

    /// <summary>Scans now, and again whenever the folder changes, until cancelled.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; there is no other end.</exception>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var watcher = new FolderWatcher(_options, _changes, _time, _logger);
        try
        {
            while (true)
            {
                watcher.TryWatch();
                await ScanSafely(cancellationToken);
                await watcher.WaitForChangeAsync(cancellationToken);
                await WaitUntilSettled(cancellationToken);
            }
        }
        finally
        {
            lock (_scanning)
            {
                _readings.Forget([]);
            }
        }
    }

    private async Task ScanSafely(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(() => Scan(cancellationToken), cancellationToken);
        }
#pragma warning disable CA1031 // The next scan may succeed; without this loop no model would be found any more.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            RepositoryLog.ScanFailed(_logger, e, _options.Directory, _options.RescanInterval);
        }
    }

    private static bool AreEqual<T>(IReadOnlyDictionary<string, T> one, IReadOnlyDictionary<string, T> other, Func<T, T, bool> areEqual) =>
        one.Count == other.Count && one.All(item => other.TryGetValue(item.Key, out var value) && areEqual(item.Value, value));

    private ModelSet Publish(ModelSet now)
    {
        var before = _current;
        if (AreEqual(before.Models, now.Models, (a, b) => a.Version == b.Version && a.Path == b.Path)
            && AreEqual(before.Problems, now.Problems, string.Equals))
        {
            return before;
        }

        _current = now;
        foreach (var (name, model) in now.Models)
        {
            if (!before.Models.TryGetValue(name, out var old))
            {
                RepositoryLog.Found(_logger, name, model.Version);
            }
            else if (old.Version != model.Version)
            {
                RepositoryLog.Replaced(_logger, name, old.Version, model.Version);
            }
        }

        foreach (string name in before.Models.Keys.Except(now.Models.Keys))
        {
            RepositoryLog.Removed(_logger, name);
        }

        foreach (var (name, problem) in now.Problems)
        {
            if (!before.Problems.TryGetValue(name, out string? old) || old != problem)
            {
                RepositoryLog.Problem(_logger, name, problem);
            }
        }

        Changed?.Invoke(now);
        return now;
    }

    private async Task WaitUntilSettled(CancellationToken cancellationToken)
    {
        var before = ModelFolder.TryFind(_options.Directory);
        for (int i = 0; i < MaxSettleRounds && !HaveBegun(before); i++)
        {
            await Task.Delay(_options.SettleTime, _time, cancellationToken);
            var now = ModelFolder.TryFind(_options.Directory);
            if (AreEqual(before, now, (a, b) => a == b))
            {
                return;
            }

            before = now;
        }
    }

    private bool HaveBegun(SortedDictionary<string, ModelFiles> files)
    {
        lock (_scanning)
        {
            return _readings.HaveBegun(files);
        }
    }
}
