using Microsoft.Extensions.Hosting;

namespace Detection.Client;

/// <summary>
/// The lifetime of the host inside of the client: none. The default one takes Ctrl+C, SIGTERM and SIGQUIT from the application and writes to its log
/// that it has started.
/// </summary>
internal sealed class DetachedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
