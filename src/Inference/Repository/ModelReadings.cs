using Detection.Inference.Loading;
using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>What reading the models of a folder gave, and what is being read. For one caller at a time.</summary>
/// <param name="options">Settings.</param>
/// <param name="time">Clock.</param>
/// <param name="completed">Status of each model that has been read.</param>
internal sealed class ModelReadings(ModelOptions options, TimeProvider time, Action completed)
{
    /// <summary>
    /// What kept a model from being read may pass without a change of its files: a share that was away, memory that was short.
    /// </summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>A model that takes longer to be read is reported as being loaded, and leaves its place to the next.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly string _folder = Path.Join(Path.GetFullPath(options.Directory), "/");
    private readonly ModelLoads _loads = new(Patience, time);
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Reading> _readings = [];

    /// <summary>Lets go of models that are not there any more.</summary>
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

    /// <summary>Begins to read a model unless it has been read, or is being read.</summary>
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

    /// <summary>Waits until a model has been read; <see langword="false"/> when none is being read, or only those that take long.</summary>
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
            if (Task.WaitAny(tasks, (int)(2 * Patience).TotalMilliseconds, cancellationToken) >= 0)
            {
                return true;
            }

            if (!_pending.Values.Any(pending => pending.Load.BeganAt > began))
            {
                return false;
            }
        }
    }

    /// <summary>What has been read by now.</summary>
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

    /// <summary>Whether all of these files have been read, or are being read.</summary>
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
            // One that took long is not waited for.
            completed();
        }
    }

    /// <summary>What reading a model's files gave.</summary>
    /// <param name="Files">The files.</param>
    /// <param name="Source">The model, or the version before it.</param>
    /// <param name="Problem">What is wrong with it.</param>
    /// <param name="RetryAt">When it is read again though its files are the same.</param>
    private sealed record Reading(ModelFiles Files, ModelSource? Source, string? Problem, DateTimeOffset RetryAt);

    /// <summary>A model that is being read.</summary>
#pragma warning disable CA1001 // A source of cancellation without a timer holds nothing.
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

        public bool TakesLong(DateTimeOffset now) => Load.BeganAt is not { } began || now - began >= Patience;

        public void GiveUp() => _givenUp.Cancel();
    }
}
