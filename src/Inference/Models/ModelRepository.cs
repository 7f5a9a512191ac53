using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Models;

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

    private readonly ModelOptions _options = options.Value;
    private readonly string _folder = Path.Join(Path.GetFullPath(options.Value.Directory), "/");
    private readonly Lock _scanning = new();
    private readonly Dictionary<string, Reading> _readings = [];
    private volatile ModelSet _current = ModelSet.Empty;

    /// <summary>Called after each change, from one thread at a time. Must return soon and not throw.</summary>
    public event Action<ModelSet>? Changed;

    /// <summary>The models of the last look; none before the first.</summary>
    public ModelSet Current => _current;

    /// <summary>Name of the model of a request that names none.</summary>
    public string DefaultName => _options.Default;

    /// <summary>Looks at the folder now. Files that have not changed are not read again.</summary>
    /// <returns>The models as they are now.</returns>
    public ModelSet Scan()
    {
        lock (_scanning)
        {
            var models = new Dictionary<string, ModelSource>(StringComparer.Ordinal);
            var problems = new Dictionary<string, string>(StringComparer.Ordinal);
            try
            {
                var files = FindFiles();
                foreach (var (name, file) in files)
                {
                    Read(name, file, models, problems);
                }

                foreach (string gone in _readings.Keys.Except(files.Keys).ToList())
                {
                    _readings.Remove(gone);
                }
            }
#pragma warning disable CA1031 // What the folder holds must not end the loop that looks at it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                // A share that is away for a moment must not take the models from their callers.
                models = new Dictionary<string, ModelSource>(_current.Models, StringComparer.Ordinal);
                problems["*"] = $"The folder of the models cannot be read, make {_options.Directory} readable: {e.Message}";
            }

            return Publish(new ModelSet(models, problems));
        }
    }

    /// <summary>Looks now, and again whenever the folder changes, until cancelled.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; there is no other end.</exception>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        var changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        FileSystemWatcher? watcher = null;
        try
        {
            while (true)
            {
                watcher ??= TryWatch(changed.Writer);
                await ScanSafely(cancellationToken);
                await WaitForChange(changed.Reader, cancellationToken);
                await WaitUntilSettled(cancellationToken);
            }
        }
        finally
        {
            watcher?.Dispose();
        }
    }

    private async Task ScanSafely(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(Scan, cancellationToken);
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

    private void Read(string name, Files files, Dictionary<string, ModelSource> models, Dictionary<string, string> problems)
    {
        _readings.TryGetValue(name, out var reading);
        if (reading is null || reading.Files != files || reading.RetryAt <= time.GetUtcNow())
        {
            try
            {
                reading = new Reading(files, ModelFile.Read(files.Onnx), files.Problem, DateTimeOffset.MaxValue);
            }
            catch (ModelException e)
            {
                // Callers see this text: it must not reveal the path.
                reading = new Reading(files, reading?.Source, e.Message.Replace(_folder, "", StringComparison.Ordinal), time.GetUtcNow() + RetryAfter);
            }

            _readings[name] = reading;
        }

        if (reading.Source is not null)
        {
            models[name] = reading.Source;
        }

        if (reading.Problem is not null)
        {
            problems[name] = reading.Problem;
        }
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
            return files.All(file => _readings.TryGetValue(file.Key, out var reading) && reading.Files == file.Value);
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
}
