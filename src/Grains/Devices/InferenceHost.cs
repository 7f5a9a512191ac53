using System.Collections.Concurrent;
using Detection.Contracts.Batching;
using Detection.Contracts.Cluster;
using Detection.Contracts.Models;
using Detection.Grains.Batching;
using Detection.Grains.Health;
using Detection.Inference.Devices;
using Detection.Inference.Models;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Devices;

/// <summary>The models that are loaded on this silo's devices, and the batchers that feed them.</summary>
internal sealed partial class InferenceHost(LocalDevices local, BatcherServices services, HealthServices health, ILogger<InferenceHost> logger)
{
    /// <summary>Longer than silos take to learn that nothing is accepted for a version any more.</summary>
    private static readonly TimeSpan RetireAfter = TimeSpan.FromSeconds(5);

    /// <summary>A model that did not load may do so later, when a device has memory again; but trying costs.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<BatcherKey, ServedModel> _loaded = new();
    private readonly ConcurrentDictionary<string, Problem> _problems = new(StringComparer.Ordinal);
    private volatile bool _stopping;
    private ModelOffer? _offerAtStop;

    /// <summary>What is loaded, and so can have a batcher.</summary>
    public IEnumerable<BatcherKey> Keys => _loaded.Keys;

    /// <summary>Models that answer what cannot be meant, and then those that did not load, by name, one sentence each.</summary>
    public IEnumerable<KeyValuePair<string, string>> Problems => _loaded.Values
        .Where(model => model is { Nonsense: not null, RetiredAt: null })
        .Select(model => KeyValuePair.Create(model.Info.Name, model.Nonsense!))
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
    /// Makes the devices serve these models: loads what is new, keeps what is there, and lets go of the rest once its queue has been
    /// empty for a while. A model that does not load leaves its older version serving.
    /// </summary>
    public async Task ServeAsync(IReadOnlyCollection<ModelSource> models, CancellationToken cancellationToken)
    {
        foreach (var (id, device) in local.Devices.Select(device => (device.Id, device.Device)))
        {
            foreach (var model in models)
            {
                await LoadAsync(new BatcherKey(id, $"{model.Name}@{model.Version}"), device, model, cancellationToken);
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

            var current = models.Any(model => $"{model.Name}@{model.Version}" == key.Model)
                || (models.Any(model => model.Name == loaded.Info.Name) && _problems.ContainsKey(loaded.Info.Name));
            if (current)
            {
                loaded.RetiredAt = null;
            }
            else if (loaded.RetiredAt is null)
            {
                loaded.RetiredAt = services.Time.GetUtcNow();
            }
            else if (services.Time.GetUtcNow() - loaded.RetiredAt > RetireAfter && (!loaded.Serves || await services.Queue.LengthAsync(key.Model) == 0))
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
        await Task.WhenAll(_loaded.Keys.Select(UnloadAsync));
        foreach (var device in local.Devices)
        {
            await device.Device.DisposeAsync();
        }
    }

    private async Task LoadAsync(BatcherKey key, IInferenceDevice device, ModelSource model, CancellationToken cancellationToken)
    {
        if (_loaded.ContainsKey(key)
            || (_problems.TryGetValue(model.Name, out var known) && known.Model == key.Model && services.Time.GetUtcNow() - known.At < RetryAfter))
        {
            return;
        }

        try
        {
            var session = await device.LoadAsync(model, cancellationToken);
            if (!ModelFile.IsUnchanged(model))
            {
                // Replaced since it was read: what was loaded may be of either version. The repository's next look tells the new one.
                await session.DisposeAsync();
                return;
            }

            var served = new ServedModel(key, device, model, session, Describe(model), services, health);
            await served.StartAsync();
            _loaded[key] = served;
            _problems.TryRemove(model.Name, out _);
        }
#pragma warning disable CA1031 // Whatever a model makes the runtime or a library throw must not keep the others from being served.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotLoaded(key, e.Message);
            _problems[model.Name] = new Problem(key.Model, e.Message, services.Time.GetUtcNow());
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
        else if (!_stopping && loaded.HasUnendingRun)
        {
            loaded.EndSilo();
        }
    }

    private static ModelInfo Describe(ModelSource model) => new(
        model.Name,
        model.Version,
        model.Manifest.Family,
        model.Manifest.Input.Width,
        model.Manifest.Input.Height,
        model.Manifest.Labels,
        model.Manifest.ScoreFloor,
        model.Manifest.Threshold,
        model.Manifest.Iou);

    private sealed record Problem(string Model, string Message, DateTimeOffset At);

    [LoggerMessage(LogLevel.Error, "{Batcher}: the model cannot be served: {Reason}")]
    private partial void LogNotLoaded(BatcherKey batcher, string reason);

    [LoggerMessage(LogLevel.Information, "{Batcher}: unloaded")]
    private partial void LogUnloaded(BatcherKey batcher);
}
