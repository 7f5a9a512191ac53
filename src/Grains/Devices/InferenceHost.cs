using System.Collections.Concurrent;
using System.Globalization;
using Detection.Contracts.Cluster;
using Detection.Grains.Batching;
using Detection.Grains.Placement;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Devices;

/// <summary>The models that are loaded on this silo's devices, and the batchers that feed them.</summary>
internal sealed partial class InferenceHost(
    LocalDevices local, RequestQueue queue, ServedModelFactory factory, IOptions<BatcherOptions> options, TimeProvider time, ILogger<InferenceHost> logger)
    : IDisposable
{
    /// <summary>Longer than silos take to learn that a version accepts no requests any more.</summary>
    private static readonly TimeSpan RetireAfter = TimeSpan.FromSeconds(5);

    /// <summary>A model that did not load may load later, when a device has free memory again. Attempts are rare because they are expensive.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>A model that takes longer to load is reported as loading.</summary>
    private static readonly TimeSpan UsualLoad = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<BatcherKey, ServedModel> _loaded = new();
    private readonly ConcurrentDictionary<BatcherKey, Loading> _loading = new();
    private readonly CancellationTokenSource _unwanted = new();
    private readonly ConcurrentDictionary<string, Problem> _problems = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private volatile bool _stopping;
    private volatile bool _drained;
    private ModelOffer? _offerAtStop;
    private Task? _ending;

    /// <summary>The loaded models, which can have a batcher.</summary>
    public IEnumerable<BatcherKey> Keys => _stopping ? [] : _loaded.Keys;

    /// <summary>Whether its batchers were stopped permanently while the silo continues.</summary>
    public bool IsDrained => _drained;

    /// <summary>Raised on any thread when a model has been loaded, or is to be loaded again at once. Handlers must return soon and not throw.</summary>
    public event Action? Changed;

    /// <summary>Models with invalid outputs, those that take long to load, and those that did not load, by name, one sentence each.</summary>
    public IEnumerable<KeyValuePair<string, string>> Problems => _loaded.Values
        .Where(model => model is { InvalidOutput: not null, RetiredAt: null })
        .Select(model => KeyValuePair.Create(model.Info.Name, model.InvalidOutput!))
        .Concat(_loading.Where(loading => time.GetUtcNow() - loading.Value.Since > UsualLoad).Select(loading => KeyValuePair.Create(
            loading.Value.Name,
            string.Create(CultureInfo.InvariantCulture, $"Model {loading.Value.Name} is being loaded on {loading.Key.Device} since {loading.Value.Since.UtcDateTime:HH:mm:ss} UTC."))))
        .Concat(_problems.Select(problem => KeyValuePair.Create(problem.Key, problem.Value.Message)));

    /// <summary>
    /// The models that are served. While the silo stops, those that it served until then: they are not gone, and their requests wait for another silo.
    /// </summary>
    public ModelOffer Offer
    {
        get
        {
            if (_offerAtStop is { } last)
            {
                return last;
            }

            var versions = _loaded.Values.GroupBy(static model => model.Info.Id).Select(static of => (of.First().Info, IsRetired: of.All(static model => model.RetiredAt is not null))).ToList();
            return new ModelOffer(
                [.. versions.OrderBy(static version => version.IsRetired).Select(static version => version.Info)],
                [.. versions.Where(static version => version.IsRetired).Select(static version => version.Info.Id)]);
        }
    }

    /// <summary>The reports of the batchers.</summary>
    public IReadOnlyList<BatcherReport> Report() => [.. _loaded.Values.Select(model => model.Report()).OfType<BatcherReport>()];

    /// <summary>
    /// Makes the devices serve these models: starts to load new ones in the given order, without waiting, keeps those that are loaded, and unloads
    /// the others once their queues have been empty for a while. When a model does not load, its older version keeps serving.
    /// </summary>
    public async Task ServeAsync(IReadOnlyCollection<ModelSource> models)
    {
        foreach (var loading in _loading.Where(loading => models.All(model => KeyOf(loading.Key.Device, model) != loading.Key)))
        {
            loading.Value.GiveUp();
        }

        foreach (var (id, device) in local.Devices.Select(device => (device.Id, device.Device)))
        {
            foreach (var model in models)
            {
                StartLoading(KeyOf(id, model), device, model);
            }
        }

        foreach (var problem in _problems.Keys.Where(name => models.All(model => model.Name != name)))
        {
            _problems.TryRemove(problem, out _);
        }

        foreach (var (key, loaded) in _loaded)
        {
            if (loaded.IsLost)
            {
                // A version whose file was removed and put back is loaded anew.
                await UnloadAsync(key);
                continue;
            }

            var current = models.Any(model => KeyOf(key.Device, model) == key)
                || models.Any(model => model.Name == loaded.Info.Name && (_problems.ContainsKey(model.Name) || !_loaded.ContainsKey(KeyOf(key.Device, model))));
            if (current)
            {
                loaded.RetiredAt = null;
            }
            else if (loaded.RetiredAt is null)
            {
                loaded.RetiredAt = time.GetUtcNow();
            }
            else if (time.GetUtcNow() - loaded.RetiredAt > RetireAfter && (!loaded.Serves || await queue.LengthAsync(key.Model) == 0))
            {
                await UnloadAsync(key);
            }
        }
    }

    /// <summary>Starts the batcher of a key unless it runs. <see langword="false"/> when its model is not loaded any more.</summary>
    public bool EnsureBatcher(BatcherKey key)
    {
        if (_stopping || !_loaded.TryGetValue(key, out var loaded))
        {
            return false;
        }

        return loaded.EnsureBatcher();
    }

    /// <summary>Retries now what failed for a model: its load, and its devices that are out of service.</summary>
    public RetryOutcome Retry(string name)
    {
        if (_stopping)
        {
            return RetryOutcome.NotFound;
        }

        List<ServedModel> served = [.. _loaded.Values.Where(model => model.Info.Name == name)];
        List<ServedModel> sick = [.. served.Where(static model => !model.Serves)];
        sick.ForEach(static model => model.RetryNow());
        var failed = _problems.TryGetValue(name, out var problem);
        if (failed)
        {
            // The problem is reported until the model is loaded.
            _problems.TryUpdate(name, problem! with { At = DateTimeOffset.MinValue }, problem!);
        }

        Changed?.Invoke();
        return failed || sick.Count > 0 || _loading.Values.Any(loading => loading.Name == name) ? RetryOutcome.Retrying
            : served.Count > 0 ? RetryOutcome.Serving
            : RetryOutcome.NotFound;
    }

    /// <summary>Starts to stop all batchers permanently, while the silo continues. Does not wait for them.</summary>
    public void Drain()
    {
        if (!_drained && !_stopping)
        {
            _drained = true;
            LogDrained(local.Silo);
            EndAsync().Ignore();
        }
    }

    /// <summary>Stops all batchers permanently, and frees the devices.</summary>
    public async Task StopAsync()
    {
        await EndAsync();
        if (_drained)
        {
            // Runs that exceeded the drain timeout may have ended since.
            await Task.WhenAll(_loaded.Keys.Select(UnloadAsync));
        }

        foreach (var device in local.Devices)
        {
            await device.Device.DisposeAsync();
        }
    }

    private Task EndAsync()
    {
        lock (_gate)
        {
            return _ending ??= Task.Run(UnloadAllAsync);
        }
    }

    private async Task UnloadAllAsync()
    {
        _offerAtStop = Offer;
        _stopping = true;
        await _unwanted.CancelAsync();
        var loading = Task.WhenAll(_loading.Values.Select(static loading => loading.Task));
        List<BatcherKey> served = [.. _loaded.Keys];
        await Task.WhenAll([.. served.Select(UnloadAsync), Task.WhenAny(loading, Task.Delay(options.Value.DrainTimeout, time))]);

        // Models that were loaded meanwhile.
        await Task.WhenAll(_loaded.Keys.Except(served).Select(UnloadAsync));
    }

    /// <inheritdoc/>
    public void Dispose() => _unwanted.Dispose();

    private static BatcherKey KeyOf(string device, ModelSource model) => new(device, $"{model.Name}@{model.Version}");

    private void StartLoading(BatcherKey key, IInferenceDevice device, ModelSource model)
    {
        if (_stopping
            || _loaded.ContainsKey(key)
            || _loading.ContainsKey(key)
            || (_problems.TryGetValue(model.Name, out var known) && known.Model == key.Model && time.GetUtcNow() - known.At < RetryAfter))
        {
            return;
        }

        var loading = new Loading(model.Name, time.GetUtcNow(), _unwanted.Token);
        _loading[key] = loading;
        loading.Task = Task.Run(() => LoadAsync(key, device, model, loading));
    }

    private async Task LoadAsync(BatcherKey key, IInferenceDevice device, ModelSource model, Loading loading)
    {
        try
        {
            await LoadAsync(key, device, model, loading.Unwanted);
        }
        finally
        {
            _loading.TryRemove(key, out _);
            loading.Dispose();
        }

        if (_loaded.ContainsKey(key))
        {
            Changed?.Invoke();
        }
    }

    private async Task LoadAsync(BatcherKey key, IInferenceDevice device, ModelSource model, CancellationToken cancellationToken)
    {
        try
        {
            var session = await device.LoadAsync(model, cancellationToken);
            if (cancellationToken.IsCancellationRequested || !ModelVersion.IsUnchanged(model))
            {
                // Replaced since it was read: what was loaded may be of either version. The repository finds the new one at its next check.
                await session.DisposeAsync();
                return;
            }

            var served = factory.Create(key, device, model, session);
            await served.StartAsync();
            _loaded[key] = served;
            _problems.TryRemove(model.Name, out _);
        }
#pragma warning disable CA1031 // Any exception that a model causes in the runtime or a library must not stop the serving of other models.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                LogNotLoaded(key, e.Message);
                _problems[model.Name] = new Problem(key.Model, e.Message, time.GetUtcNow());
            }
        }
    }

    private async Task UnloadAsync(BatcherKey key)
    {
        if (!_loaded.TryGetValue(key, out var loaded))
        {
            return;
        }

        if (await loaded.StopAsync())
        {
            _loaded.TryRemove(key, out _);
            await loaded.DisposeAsync();
            LogUnloaded(key);
        }
        else if (!_stopping && loaded.HasHungRun)
        {
            loaded.EndSilo();
        }
    }

    /// <summary>A model that is being loaded, or waits until another is loaded.</summary>
    private sealed class Loading(string name, DateTimeOffset since, CancellationToken stopping) : IDisposable
    {
        private readonly CancellationTokenSource _unwanted = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        private readonly Lock _gate = new();
        private bool _isOver;

        public string Name => name;

        public DateTimeOffset Since => since;

        public CancellationToken Unwanted => _unwanted.Token;

        public Task Task { get; set; } = Task.CompletedTask;

        public void GiveUp()
        {
            lock (_gate)
            {
                if (!_isOver)
                {
                    _unwanted.Cancel();
                }
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isOver = true;
                _unwanted.Dispose();
            }
        }
    }

    private sealed record Problem(string Model, string Message, DateTimeOffset At);

    [LoggerMessage(1, LogLevel.Error, "Model of {Batcher} was not loaded; retrying within a minute: {Reason}")]
    private partial void LogNotLoaded(BatcherKey batcher, string reason);

    [LoggerMessage(2, LogLevel.Information, "Model of {Batcher} was unloaded.")]
    private partial void LogUnloaded(BatcherKey batcher);

    [LoggerMessage(3, LogLevel.Warning, "An administrator drains silo {Silo}: its batchers finish what is on their devices and claim no more until this process is started again.", EventName = "Drained")]
    private partial void LogDrained(string silo);
}
