using Detection.Inference.Loading;
using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>The models of a folder that have been read, and those that are being read. For one caller at a time.</summary>
internal sealed class ModelReadings(ModelOptions options, TimeProvider time, Action completed)
{
    /// <summary>A reading may fail for a reason that ends without a change of the files: an unreachable share, or a lack of memory.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>A model that takes longer to read is reported as loading, and gives its place to the next.</summary>
    private static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(2);

    private readonly string _folder = Path.Join(Path.GetFullPath(options.Directory), "/");
    private readonly ModelLoads _loads = new(UsualTime, time);
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Reading> _readings = [];

    /// <summary>Drops models that do not exist any more.</summary>
    public void Forget(SortedDictionary<string, ModelFiles> files)
    {
        foreach (string gone in _readings.Keys.Except(files.Keys).ToList())
        {
            _readings.Remove(gone);
        }

        foreach (string gone in _pending.Keys.Except(files.Keys).ToList())
        {
            _pending.Remove(gone, out var pending);
            pending!.GiveUp();
        }
    }

    /// <summary>Makes the next scan read a model again that could not be read.</summary>
    public void Retry(string name)
    {
        if (_readings.TryGetValue(name, out var reading) && reading.RetryAt != DateTimeOffset.MaxValue)
        {
            _readings[name] = reading with { RetryAt = DateTimeOffset.MinValue };
        }
    }

    /// <summary>Starts to read a model unless it has been read or is being read.</summary>
    public void Start(string name, ModelFiles files)
    {
        if (_pending.TryGetValue(name, out var pending))
        {
            if (pending.Files == files)
            {
                return;
            }

            _pending.Remove(name);
            pending.GiveUp();
        }

        _readings.TryGetValue(name, out var reading);
        if (reading is null || reading.Files != files || reading.RetryAt <= time.GetUtcNow())
        {
            _pending[name] = new Pending(files, ReadAsync, new ModelLoad(name, options.LoadTimeout));
        }
    }

    /// <summary>Waits until a model has been read; <see langword="false"/> when none is being read, or only slow ones.</summary>
    public bool Wait(CancellationToken cancellationToken)
    {
        while (true)
        {
            var began = time.GetUtcNow();
            if (_pending.Count == 0)
            {
                return false;
            }

            Task[] tasks = [.. _pending.Values.Select(pending => pending.Task)];
            if (Task.WaitAny(tasks, (int)(2 * UsualTime).TotalMilliseconds, cancellationToken) >= 0)
            {
                return true;
            }

            if (!_pending.Values.Any(pending => pending.Load.BeganAt > began))
            {
                return false;
            }
        }
    }

    /// <summary>The models that have been read so far.</summary>
    public ModelSet Read(SortedDictionary<string, ModelFiles> files)
    {
        foreach (var (name, pending) in _pending.Where(pending => pending.Value.Task.IsCompleted).ToList())
        {
            _pending.Remove(name);
            _readings[name] = ToReading(name, pending);
        }

        var models = new Dictionary<string, ModelSource>(StringComparer.Ordinal);
        var problems = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in files.Keys)
        {
            if (_readings.TryGetValue(name, out var reading))
            {
                if (reading.Source is not null)
                {
                    models[name] = reading.Source;
                }

                if (reading.Problem is not null)
                {
                    problems[name] = reading.Problem;
                }
            }

            if (_pending.TryGetValue(name, out var pending) && pending.TakesLong(time.GetUtcNow()) && (reading is null || reading.Files != pending.Files))
            {
                problems[name] = pending.Load.Status;
            }
        }

        return new ModelSet(models, problems);
    }

    /// <summary>Whether all of these files have been read or are being read.</summary>
    public bool HaveBegun(SortedDictionary<string, ModelFiles> files) =>
        files.All(file => (_readings.TryGetValue(file.Key, out var reading) && reading.Files == file.Value)
            || (_pending.TryGetValue(file.Key, out var pending) && pending.Files == file.Value));

    private Reading ToReading(string name, Pending pending)
    {
        if (pending.Task.IsCompletedSuccessfully)
        {
            return new Reading(pending.Files, pending.Task.Result, pending.Files.Problem, DateTimeOffset.MaxValue);
        }

        // Callers see this text: it must not reveal the path.
        string problem = pending.Task.Exception!.InnerException!.Message.Replace(_folder, "", StringComparison.Ordinal);
        return new Reading(pending.Files, _readings.GetValueOrDefault(name)?.Source, problem, time.GetUtcNow() + RetryAfter);
    }

    private async Task<ModelSource> ReadAsync(ModelLoad load, ModelFiles files, CancellationToken cancellationToken)
    {
        try
        {
            return await _loads.RunAsync(
                load,
                isFirst: load.Model == options.Default,
                () => ModelFile.GraphHash(ModelPlace.Of(files.Path)),
                () => ModelFile.Read(files.Path),
                static _ => { },
                cancellationToken);
        }
        finally
        {
            // A slow reading is not awaited.
            completed();
        }
    }

    /// <summary>The result of reading a model's files.</summary>
    /// <param name="Files">The files.</param>
    /// <param name="Source">The model, or its previous version.</param>
    /// <param name="Problem">The fault of the model.</param>
    /// <param name="RetryAt">When it is read again although its files are unchanged.</param>
    private sealed record Reading(ModelFiles Files, ModelSource? Source, string? Problem, DateTimeOffset RetryAt);

    /// <summary>A model that is being read.</summary>
#pragma warning disable CA1001 // A cancellation source without a timer has nothing to dispose.
    private sealed class Pending
#pragma warning restore CA1001
    {
        private readonly CancellationTokenSource _givenUp = new();

        public Pending(ModelFiles files, Func<ModelLoad, ModelFiles, CancellationToken, Task<ModelSource>> read, ModelLoad load)
        {
            (Files, Load) = (files, load);
            Task = read(load, files, _givenUp.Token);
        }

        public ModelFiles Files { get; }

        public ModelLoad Load { get; }

        public Task<ModelSource> Task { get; }

        public bool TakesLong(DateTimeOffset now) => Load.BeganAt is not { } began || now - began >= UsualTime;

        public void GiveUp() => _givenUp.Cancel();
    }
}
