using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Detection.Inference.Repository;

/// <summary>Waits for changes in the folder of models.</summary>
internal sealed class FolderWatcher(ModelOptions options, Channel<bool> changes, TimeProvider time, ILogger logger) : IDisposable
{
    private FileSystemWatcher? _watcher;

    /// <summary>
    /// Starts to watch, anew before each scan: on Linux a watcher may stop without an event after a folder was swapped by two renames
    /// (https://github.com/dotnet/runtime/issues/133420), and the folder may not exist yet.
    /// </summary>
    public void Watch()
    {
        _watcher?.Dispose();
        _watcher = null;
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(options.Directory) { IncludeSubdirectories = true };
            watcher.Changed += Signal;
            watcher.Created += Signal;
            watcher.Deleted += Signal;
            watcher.Renamed += Signal;
            watcher.Error += Signal;
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
        }
#pragma warning disable CA1031 // Notifications are optional: the regular scan finds every change.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // The folder does not exist yet, or the system has no more watches: only the regular scan finds changes.
            watcher?.Dispose();
            RepositoryLog.NotWatched(logger, options.Directory, options.RescanInterval, e.Message);
        }

        void Signal(object sender, EventArgs e) => changes.Writer.TryWrite(true);
    }

    /// <summary>Waits for a change, or until the next regular scan.</summary>
    public async Task WaitForChangeAsync(CancellationToken cancellationToken)
    {
        using var interval = new CancellationTokenSource(options.RescanInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interval.Token, cancellationToken);
        try
        {
            await changes.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is time for a regular scan.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();
}
