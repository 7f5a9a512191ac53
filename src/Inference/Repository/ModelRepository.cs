using System.Globalization;
using System.Threading.Channels;
using Detection.Inference.Loading;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Repository;

/// <summary>
/// The models of a folder, and their changes. A file that was replaced is a new version of its model; one that cannot be
/// read is told as a problem and leaves the version before it in place; one that was removed is gone.
/// </summary>
public sealed partial class ModelRepository(IOptions<ModelOptions> options, TimeProvider time, ILogger<ModelRepository> logger)
{
    /// <summary>Files that go on changing are read all the same after this many settle times.</summary>
    private const int MostSettleTimes = 60;

    /// <summary>A model's folder may hold anything beside its files; changes of the first so many are noticed.</summary>
    private const int MostFiles = 1000;

    /// <summary>
    /// What kept a model from being read may pass without a change of its files: a share that was away, memory that was short.
    /// </summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    /// <summary>A model that takes longer to be read is told as being loaded, and leaves its place to the next.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ModelOptions _options = options.Value;
    private readonly string _folder = Path.Join(Path.GetFullPath(options.Value.Directory), "/");
    private readonly Lock _scanning = new();
    private readonly ModelLoads _loads = new(Patience, time);
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Reading> _readings = [];
    private volatile ModelSet _current = ModelSet.Empty;

    /// <summary>Called after each change, from one thread at a time. Must return soon and not throw.</summary>
    public event Action<ModelSet>? Changed;

    /// <summary>The models of the last look; none before the first.</summary>
    public ModelSet Current => _current;

    /// <summary>Name of the model of a request that names none.</summary>
    public string DefaultName => _options.Default;

    /// <summary>
    /// Looks at the folder now. Files that have not changed are not read again. Models that take long to be read are not waited for: they
    /// are told as being loaded, and a later look has them.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting for what is being read.</param>
    /// <returns>The models as they are now.</returns>
    public ModelSet Scan(CancellationToken cancellationToken = default)
    {
        lock (_scanning)
        {
            try
            {
                var files = FindFiles();
                Forget(files);
                foreach (var (name, file) in files.OrderByDescending(file => file.Key == _options.Default))
                {
                    StartReading(name, file);
                }

                while (WaitForReading(cancellationToken))
                {
                    Publish(Read(files));
                }

                return Publish(Read(files));
            }
#pragma warning disable CA1031 // What the folder holds must not end the loop that looks at it.
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

    /// <summary>Looks now, and again whenever the folder changes, until cancelled.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; there is no other end.</exception>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            while (true)
            {
                watcher ??= TryWatch(_changes.Writer);
                await ScanSafely(cancellationToken);
                await WaitForChange(_changes.Reader, cancellationToken);
                await WaitUntilSettled(cancellationToken);
            }
        }
        finally
        {
            watcher?.Dispose();
            lock (_scanning)
            {
                Forget([]);
            }
        }
    }

    private async Task ScanSafely(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(() => Scan(cancellationToken), cancellationToken);
        }
#pragma warning disable CA1031 // The next look may succeed; without this loop no model would be found any more.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogScanFailed(logger, e, _options.Directory, _options.RescanInterval);
        }
    }

    /// <summary>Names, sizes and times of files: of what links lead to, because that is what is read.</summary>
    private static string StampOf(IEnumerable<FileInfo> files) => string.Join('|', files
        .Take(MostFiles)
        .OrderBy(file => file.FullName, StringComparer.Ordinal)
        .Select(StampOf));

    private static string StampOf(FileInfo file)
    {
        try
        {
            var target = file.LinkTarget is null ? file : new FileInfo(PlainFile.RealPath(file.FullName));
            var mode = OperatingSystem.IsWindows() ? default : target.UnixFileMode;
            return string.Create(CultureInfo.InvariantCulture, $"{file.FullName}:{target.FullName}:{target.Length}:{target.LastWriteTimeUtc.Ticks}:{(int)mode}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or a link that leads nowhere: reading it tells.
            return file.FullName;
        }
    }

    private static bool Same<T>(IReadOnlyDictionary<string, T> one, IReadOnlyDictionary<string, T> other, Func<T, T, bool> same) =>
        one.Count == other.Count && one.All(item => other.TryGetValue(item.Key, out var value) && same(item.Value, value));

    private SortedDictionary<string, Files> FindFiles()
    {
        var found = new SortedDictionary<string, Files>(StringComparer.Ordinal);
        var folder = new DirectoryInfo(_options.Directory);
        foreach (var file in folder.EnumerateFiles("*.onnx"))
        {
            found[ModelFile.NameOf(file.FullName)] = new Files(file.FullName, StampOf(folder.EnumerateFiles(file.Name + "*")), null);
        }

        foreach (var inner in folder.EnumerateDirectories())
        {
            string onnx = Path.Combine(inner.FullName, ModelFile.OnnxName);
            if (new FileInfo(onnx) is { Exists: true } or { LinkTarget: not null })
            {
                string? hidden = found.ContainsKey(inner.Name)
                    ? $"There are both {inner.Name}/{ModelFile.OnnxName} and {inner.Name}.onnx; remove or rename one, the first is served."
                    : null;
                found[inner.Name] = new Files(onnx, StampOf(inner.EnumerateFiles("*", ModelFile.Inside)), hidden);
            }
        }

        return found;
    }

    /// <summary>Lets go of models that are not there any more.</summary>
    private void Forget(SortedDictionary<string, Files> files)
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
    private void StartReading(string name, Files files)
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
            _pending[name] = new Pending(files, ReadAsync, new ModelLoad(name, _options.LoadTimeout));
        }
    }

    private async Task<ModelSource> ReadAsync(ModelLoad load, Files files, CancellationToken cancellationToken)
    {
        try
        {
            return await _loads.RunAsync(
                load,
                isFirst: load.Model == _options.Default,
                () => ModelFile.GraphHash(files.Onnx),
                () => ModelFile.Read(files.Onnx),
                static _ => { },
                cancellationToken);
        }
        finally
        {
            // One that took long is not waited for.
            _changes.Writer.TryWrite(true);
        }
    }

    /// <summary>Waits until a model has been read; <see langword="false"/> when none is being read, or only those that take long.</summary>
    private bool WaitForReading(CancellationToken cancellationToken)
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
    private ModelSet Read(SortedDictionary<string, Files> files)
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
                problems[name] = pending.Load.Told;
            }
        }

        return new ModelSet(models, problems);
    }

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

    private ModelSet Publish(ModelSet now)
    {
        var before = _current;
        if (Same(before.Models, now.Models, (a, b) => a.Version == b.Version && a.Path == b.Path)
            && Same(before.Problems, now.Problems, string.Equals))
        {
            return before;
        }

        _current = now;
        foreach (var (name, model) in now.Models)
        {
            if (!before.Models.TryGetValue(name, out var old))
            {
                LogFound(logger, name, model.Version);
            }
            else if (old.Version != model.Version)
            {
                LogReplaced(logger, name, old.Version, model.Version);
            }
        }

        foreach (string name in before.Models.Keys.Except(now.Models.Keys))
        {
            LogRemoved(logger, name);
        }

        foreach (var (name, problem) in now.Problems)
        {
            if (!before.Problems.TryGetValue(name, out string? old) || old != problem)
            {
                LogProblem(logger, name, problem);
            }
        }

        Changed?.Invoke(now);
        return now;
    }

    private FileSystemWatcher? TryWatch(ChannelWriter<bool> changed)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(_options.Directory) { IncludeSubdirectories = true };
            watcher.Changed += Signal;
            watcher.Created += Signal;
            watcher.Deleted += Signal;
            watcher.Renamed += Signal;
            watcher.Error += Signal;
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
#pragma warning disable CA1031 // Reports are a help only: the regular look finds every change.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // No such folder yet, or no more watches to be had: the regular look remains.
            watcher?.Dispose();
            LogNotWatched(logger, _options.Directory, _options.RescanInterval, e.Message);
            return null;
        }

        void Signal(object sender, EventArgs e) => changed.TryWrite(true);
    }

    private async Task WaitForChange(ChannelReader<bool> changed, CancellationToken cancellationToken)
    {
        using var interval = new CancellationTokenSource(_options.RescanInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interval.Token, cancellationToken);
        try
        {
            await changed.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Time for a look without a reported change.
        }
    }

    private async Task WaitUntilSettled(CancellationToken cancellationToken)
    {
        var before = TryFindFiles();
        for (int i = 0; i < MostSettleTimes && !IsRead(before); i++)
        {
            await Task.Delay(_options.SettleTime, time, cancellationToken);
            var now = TryFindFiles();
            if (Same(before, now, (a, b) => a == b))
            {
                return;
            }

            before = now;
        }
    }

    private SortedDictionary<string, Files> TryFindFiles()
    {
        try
        {
            return FindFiles();
        }
#pragma warning disable CA1031 // The scan that follows tells it.
        catch (Exception)
#pragma warning restore CA1031
        {
            return [];
        }
    }

    private bool IsRead(SortedDictionary<string, Files> files)
    {
        lock (_scanning)
        {
            return files.All(file => (_readings.TryGetValue(file.Key, out var reading) && reading.Files == file.Value)
                || (_pending.TryGetValue(file.Key, out var pending) && pending.Files == file.Value));
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Model {Model}@{Version} found")]
    private static partial void LogFound(ILogger logger, string model, string version);

    [LoggerMessage(2, LogLevel.Information, "Model {Model}@{Old} replaced by {Model}@{Version}")]
    private static partial void LogReplaced(ILogger logger, string model, string old, string version);

    [LoggerMessage(3, LogLevel.Information, "Model {Model} removed")]
    private static partial void LogRemoved(ILogger logger, string model);

    [LoggerMessage(4, LogLevel.Warning, "Model {Model}: {Problem}")]
    private static partial void LogProblem(ILogger logger, string model, string problem);

    [LoggerMessage(5, LogLevel.Information, "No change reports for {Folder}, looking every {Interval}: {Reason}")]
    private static partial void LogNotWatched(ILogger logger, string folder, TimeSpan interval, string reason);

    [LoggerMessage(6, LogLevel.Error, "Looking at the models in {Folder} failed; looking again within {Interval}")]
    private static partial void LogScanFailed(ILogger logger, Exception exception, string folder, TimeSpan interval);

    /// <summary>A model's files as they lie in the folder.</summary>
    /// <param name="Onnx">The graph.</param>
    /// <param name="Stamp">Names, sizes and times of writing.</param>
    /// <param name="Problem">What is wrong with where they lie.</param>
    private sealed record Files(string Onnx, string Stamp, string? Problem);

    /// <summary>What reading a model's files gave.</summary>
    /// <param name="Files">The files.</param>
    /// <param name="Source">The model, or the version before it.</param>
    /// <param name="Problem">What is wrong with it.</param>
    /// <param name="RetryAt">When it is read again though its files are the same.</param>
    private sealed record Reading(Files Files, ModelSource? Source, string? Problem, DateTimeOffset RetryAt);

    /// <summary>A model that is being read.</summary>
#pragma warning disable CA1001 // A source of cancellation without a timer holds nothing.
    private sealed class Pending
#pragma warning restore CA1001
    {
        private readonly CancellationTokenSource _givenUp = new();

        public Pending(Files files, Func<ModelLoad, Files, CancellationToken, Task<ModelSource>> read, ModelLoad load)
        {
            (Files, Load) = (files, load);
            Task = read(load, files, _givenUp.Token);
        }

        public Files Files { get; }

        public ModelLoad Load { get; }

        public Task<ModelSource> Task { get; }

        public bool TakesLong(DateTimeOffset now) => Load.BeganAt is not { } began || now - began >= Patience;

        public void GiveUp() => _givenUp.Cancel();
    }
}
