using System.Collections.Concurrent;
using System.Threading.Channels;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Repository;

/// <summary>
/// The models of a folder, and their changes. A replaced file is a new version of its model. A file that cannot be read is reported as a problem, and
/// the previous version of the model stays. A removed file removes its model.
/// </summary>
public sealed class ModelRepository
{
    /// <summary>Files that change all the time are read after this number of settle times.</summary>
    private const int MaxSettleRounds = 60;

    private readonly ModelOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelRepository> _logger;
    private readonly Lock _scanning = new();
    private readonly Channel<bool> _changes;
    private readonly ModelReadings _readings;
    private readonly ConcurrentQueue<string> _retries = [];
    private volatile ModelSet _current = ModelSet.Empty;

    /// <summary>Opens the folder in the settings without reading it.</summary>
    public ModelRepository(IOptions<ModelOptions> options, TimeProvider time, ILogger<ModelRepository> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time, _logger) = (options.Value, time, logger);
        _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        _readings = new ModelReadings(_options, time, () => _changes.Writer.TryWrite(true));
    }

    /// <summary>Raised after each change, by one thread at a time. Handlers must return soon and not throw.</summary>
    public event Action<ModelSet>? Changed;

    /// <summary>The models of the last scan; none before the first.</summary>
    public ModelSet Current => _current;

    /// <summary>The model that is read first.</summary>
    public string DefaultName => _options.Default;

    /// <summary>Names of the models in a folder now; none when it cannot be read.</summary>
    public static IReadOnlyCollection<string> FindNames(string folder) => ModelFolder.TryFind(folder).Keys;

    /// <summary>The file or the folder of a model, as <see cref="ModelPlace.Of"/> takes it; <see langword="null"/> when a folder has none of that name.</summary>
    public static string? FindPath(string folder, string name) => ModelFolder.TryFind(folder).GetValueOrDefault(name)?.Path;

    /// <summary>Starts a scan that reads a model again if it could not be read, although its files have not changed.</summary>
    /// <param name="name">Name of the model.</param>
    /// <returns>Whether the model has a problem.</returns>
    public bool Retry(string name)
    {
        var isWrong = Current.Problems.ContainsKey(name);
        if (isWrong)
        {
            _retries.Enqueue(name);
        }

        _changes.Writer.TryWrite(true);
        return isWrong;
    }

    /// <summary>
    /// Scans the folder now. Unchanged files are not read again. Slow models are not awaited: they are reported as loading, and a later scan returns them.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for models that are being read.</param>
    /// <returns>The current models.</returns>
    public ModelSet Scan(CancellationToken cancellationToken = default)
    {
        lock (_scanning)
        {
            try
            {
                var files = ModelFolder.Find(_options.Directory);
                _readings.Forget(files);
                while (_retries.TryDequeue(out var name))
                {
                    _readings.Retry(name);
                }

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
#pragma warning disable CA1031 // No content of the folder may end the loop that scans it.
            catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
            {
                // A share that is unreachable for a moment must not remove the models.
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
    /// <exception cref="OperationCanceledException">It was cancelled; it does not end otherwise.</exception>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var watcher = new FolderWatcher(_options, _changes, _time, _logger);
        try
        {
            while (true)
            {
                watcher.Watch();
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
