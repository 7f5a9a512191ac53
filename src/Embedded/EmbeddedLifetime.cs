namespace Detection.Embedded;

/// <summary>
/// Ends the embedded stores with the application. They start before the container is built, and must end after all their users have stopped. So they
/// are disposed with the container and not stopped with the hosted services.
/// </summary>
internal sealed partial class EmbeddedLifetime(EmbeddedStores stores, ILogger<EmbeddedLifetime> logger) : IHostedService, IDisposable
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Running(stores.Redis.Port, stores.PicturesPort);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => stores.Dispose();

    [LoggerMessage(1, LogLevel.Information,
        "No Redis is configured; running as a one-process cluster with an embedded server on port {Port} and pictures on port {PicturePort}. Data is lost when the process ends.")]
    private partial void Running(int port, int picturePort);
}
