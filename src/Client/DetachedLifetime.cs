using Microsoft.Extensions.Hosting;

namespace Detection.Client;

/// <summary>
/// A host lifetime that does nothing, for the host inside the client. The default lifetime handles the application's Ctrl+C, SIGTERM and SIGQUIT, and
/// logs that a host has started.
/// </summary>
internal sealed class DetachedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
