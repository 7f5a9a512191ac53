using Detection.Contracts.Models;

namespace Detection.Contracts.Cluster;

/// <summary>Availability of a model version.</summary>
public enum ModelStanding
{
    /// <summary>A device serves it, or is about to serve it.</summary>
    Serving,

    /// <summary>Every device that serves it is broken. The devices are retried at intervals.</summary>
    Broken,

    /// <summary>The silos that served it last are not running now. Its requests wait for them.</summary>
    Away,

    /// <summary>It was removed or replaced. Accepted requests are finished, new ones are refused.</summary>
    Retired,

    /// <summary>It was removed or replaced, and no device has it any more.</summary>
    Gone,
}

/// <summary>A model version and its availability.</summary>
/// <param name="Model">The version.</param>
/// <param name="Standing">Its availability.</param>
public sealed record ModelEntry(ModelInfo Model, ModelStanding Standing)
{
    /// <summary>Whether it accepts new pictures, to be processed now or when its devices are back.</summary>
    public bool Accepts => Standing is not (ModelStanding.Retired or ModelStanding.Gone);
}

/// <summary>The models of the cluster at one point in time, from the reports of its silos and the records of the versions that they served.</summary>
public sealed class ModelDirectory
{
    /// <summary>A version that no silo has reported for this long is gone when another version of its name is served.</summary>
    private static readonly TimeSpan ReplacedAfter = 3 * SiloReport.Lifetime;

    /// <summary>
    /// How long requests wait for a version whose silos are away while other silos serve. While no silo serves, for example right after the clock was
    /// set, no version becomes gone.
    /// </summary>
    private static readonly TimeSpan AwayFor = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, ModelEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<ModelRecord> _gone = [];

    private ModelDirectory()
    {
    }

    /// <summary>A directory without models.</summary>
    public static ModelDirectory Empty { get; } = new();

    /// <summary>Whether a live silo serves a model.</summary>
    public bool Serves { get; private init; }

    /// <summary>Records of versions that are gone.</summary>
    public IReadOnlyList<ModelRecord> Gone => _gone;

    /// <param name="silos">The live silos. Read them after <paramref name="records"/>: silos write the report first.</param>
    /// <param name="records">The versions that are or were served.</param>
    /// <param name="now">The time of Redis, by which they are dated.</param>
    public static ModelDirectory Of(IReadOnlyList<SiloReport> silos, IReadOnlyList<ModelRecord> records, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(silos);
        ArgumentNullException.ThrowIfNull(records);

        // As if they were away: what they served waits for them unless others serve it.
        silos = [.. silos.Where(static silo => !silo.IsDrained)];
        var directory = new ModelDirectory { Serves = silos.Any(static silo => silo.Models.Count > 0) };
        var current = silos.SelectMany(static silo => silo.CurrentModels).Select(static model => model.Id).ToHashSet(StringComparer.Ordinal);
        var names = silos.SelectMany(static silo => silo.CurrentModels).Select(static model => model.Name).ToHashSet(StringComparer.Ordinal);
        var listed = silos.SelectMany(static silo => silo.Models).Select(static model => model.Id).ToHashSet(StringComparer.Ordinal);
        var processes = silos.Select(static silo => (silo.Silo, silo.StartedAt)).ToHashSet();

        // The last entry of a name wins. So the order is from the least to the most available version, and within equal availability from the oldest
        // to the newest.
        foreach (var record in records.Where(record => !listed.Contains(record.Model.Id)).OrderBy(static record => record.SeenAt))
        {
            var unseen = now - record.SeenAt;
            if (processes.Contains((record.Silo, record.StartedAt)) || (unseen > AwayFor && directory.Serves) || (unseen > ReplacedAfter && names.Contains(record.Model.Name)))
            {
                directory._gone.Add(record);
                directory.Enter(record.Model, ModelStanding.Gone);
            }
            else
            {
                directory.Enter(record.Model, ModelStanding.Away);
            }
        }

        foreach (var model in silos.SelectMany(static silo => silo.Models).Where(model => !current.Contains(model.Id)))
        {
            directory.Enter(model, ModelStanding.Retired);
        }

        foreach (var model in silos.SelectMany(static silo => silo.CurrentModels.Reverse()))
        {
            directory.Enter(model, IsBroken(silos, model.Id) ? ModelStanding.Broken : ModelStanding.Serving);
        }

        return directory;
    }

    /// <summary>Finds a model by <c>name@version</c>, or by <c>name</c> the version that serves requests for the name.</summary>
    public ModelEntry? Find(string name) => _entries.GetValueOrDefault(name);

    private void Enter(ModelInfo model, ModelStanding standing)
    {
        var entry = new ModelEntry(model, standing);
        _entries[model.Id] = entry;

        // A name whose silos are away is not given to an older version that is being finished: requests wait for the silos.
        if (_entries.GetValueOrDefault(model.Name) is not { Standing: ModelStanding.Away } || standing is not (ModelStanding.Gone or ModelStanding.Retired))
        {
            _entries[model.Name] = entry;
        }
    }

    private static bool IsBroken(IReadOnlyList<SiloReport> silos, string model)
    {
        foreach (var silo in silos.Where(silo => silo.CurrentModels.Any(of => of.Id == model)))
        {
            var batchers = silo.Batchers.Where(batcher => batcher.Model == model).ToList();
            if (batchers.Count == 0 || batchers.Any(static batcher => batcher.Health != DeviceHealth.Broken))
            {
                return false;
            }
        }

        return true;
    }
}
