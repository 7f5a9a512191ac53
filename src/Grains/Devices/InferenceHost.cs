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
    /// <summary>Longer than silos take to learn that nothing is accepted for a version any more.</summary>
    private static readonly TimeSpan RetireAfter = TimeSpan.FromSeconds(5);

    /// <summary>A model that did not load may do so later, when a device has memory again; but trying costs.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>A model that takes longer to be loaded is told as being loaded.</summary>
    private static readonly TimeSpan UsualLoad = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<BatcherKey, ServedModel> _loaded = new();
    private readonly ConcurrentDictionary<BatcherKey, Loading> _loading = new();
    private readonly CancellationTokenSource _unwanted = new();
    private readonly ConcurrentDictionary<string, Problem> _problems = new(StringComparer.Ordinal);
    private volatile bool _stopping;
    private ModelOffer? _offerAtStop;

    /// <summary>What is loaded, and so can have a batcher.</summary>
    public IEnumerable<BatcherKey> Keys => _loaded.Keys;

    /// <summary>Called when a model has been loaded, from any thread. Must return soon and not throw.</summary>
    public event Action? Loaded;

    /// <summary>Models with invalid outputs, those that take long to load, and then those that did not load, by name, one sentence each.</summary>
    public IEnumerable<KeyValuePair<string, string>> Problems => _loaded.Values
        .Where(model => model is { InvalidOutput: not null, RetiredAt: null })
        .Select(model => KeyValuePair.Create(model.Info.Name, model.InvalidOutput!))
        .Concat(_loading.Where(loading => time.GetUtcNow() - loading.Value.Since > UsualLoad).Select(loading => KeyValuePair.Create(
            loading.Value.Name,
            string.Create(CultureInfo.InvariantCulture, $"Model {loading.Value.Name} is being loaded on {loading.Key.Device} since {loading.Value.Since.UtcDateTime:HH:mm:ss} UTC."))))
        .Concat(_problems.Select(problem => KeyValuePair.Create(problem.Key, problem.Value.Message)));

    /// <summary>
    /// The models that are served. While it stops, those that it served: they are not gone, and their requests wait for another silo.
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

    /// <summary>What the batchers do.</summary>
    public IReadOnlyList<BatcherReport> Report() => [.. _loaded.Values.Select(model => model.Report()).OfType<BatcherReport>()];

    /// <summary>
    /// Makes the devices serve these models: begins to load what is new, in their order and without waiting for it, keeps what is there, and
    /// lets go of the rest once its queue has been empty for a while. A model that does not load leaves its older version serving.
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
                // A file of the same version that is put back is loaded anew.
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

    /// <summary>Starts the batcher of a key unless it runs. <see langword="false"/> when there is nothing to run any more.</summary>
    public bool EnsureBatcher(BatcherKey key)
    {
        if (_stopping || !_loaded.TryGetValue(key, out var loaded))
        {
            return false;
        }

        return loaded.EnsureBatcher();
    }

    /// <summary>Stops all batchers, for good, and frees the devices.</summary>
    public async Task StopAsync()
    {
        _offerAtStop = Offer;
        _stopping = true;
        await _unwanted.CancelAsync();
        var loading = Task.WhenAll(_loading.Values.Select(static loading => loading.Task));
        List<BatcherKey> served = [.. _loaded.Keys];
        await Task.WhenAll([.. served.Select(UnloadAsync), Task.WhenAny(loading, Task.Delay(options.Value.DrainTimeout, time))]);

        // What was loaded meanwhile.
        await Task.WhenAll(_loaded.Keys.Except(served).Select(UnloadAsync));
        foreach (var device in local.Devices)
        {
            await device.Device.DisposeAsync();
        }
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
            Loaded?.Invoke();
        }
    }

    private async Task LoadAsync(BatcherKey key, IInferenceDevice device, ModelSource model, CancellationToken cancellationToken)
    {
        try
        {
            var session = await device.LoadAsync(model, cancellationToken);
            if (cancellationToken.IsCancellationRequested || !ModelVersion.IsUnchanged(model))
            {
                // Replaced since it was read: what was loaded may be of either version. The repository's next look tells the new one.
                await session.DisposeAsync();
                return;
            }

            var served = factory.Create(key, device, model, session);
            await served.StartAsync();
            _loaded[key] = served;
            _problems.TryRemove(model.Name, out _);
        }
#pragma warning disable CA1031 // Whatever a model makes the runtime or a library throw must not keep the others from being served.
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

    /// <summary>A model that is being loaded, or waits for the load of another.</summary>
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

    [LoggerMessage(1, LogLevel.Error, "Model of {Batcher} was not loaded; it is tried again within a minute: {Reason}")]
    private partial void LogNotLoaded(BatcherKey batcher, string reason);

    [LoggerMessage(2, LogLevel.Information, "Model of {Batcher} was unloaded.")]
    private partial void LogUnloaded(BatcherKey batcher);
}
