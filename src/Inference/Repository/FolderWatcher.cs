using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Detection.Inference.Repository;

/// <summary>Waits for changes in the folder of the models.</summary>
/// <param name="options">Where the folder is.</param>
/// <param name="changes">Takes the changes, one at most.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed class FolderWatcher(ModelOptions options, Channel<bool> changes, TimeProvider time, ILogger logger) : IDisposable
{
    private FileSystemWatcher? _watcher;

    /// <summary>Begins to watch, unless it has begun. The folder may not be there yet.</summary>
    public void TryWatch()
    {
        if (_watcher is not null)
        {
            return;
        }

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
#pragma warning disable CA1031 // Reports only help: the regular scan finds every change.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // No such folder yet, or no more watches to be had: the regular scan remains.
            watcher?.Dispose();
            RepositoryLog.NotWatched(logger, options.Directory, options.RescanInterval, e.Message);
        }

        void Signal(object sender, EventArgs e) => changes.Writer.TryWrite(true);
    }

    /// <summary>Waits for a change, or until it is time for a scan without one.</summary>
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
            // Time for a scan without a reported change.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();
}
