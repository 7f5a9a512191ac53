namespace Detection.Frontend.Embedded;

/// <summary>
/// Ends the embedded server with the application. It runs before the container is built; its end must come after everything that
/// uses it has stopped, so it is disposed of with the container instead of being stopped with the hosted services.
/// </summary>
internal sealed partial class EmbeddedRedisLifetime(EmbeddedRedis redis, ILogger<EmbeddedRedisLifetime> logger) : IHostedService, IDisposable
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Running(redis.Port);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => redis.Dispose();

    [LoggerMessage(EventId = 1, Level = LogLevel.Information,
        Message = "No Redis is configured: this process is the whole cluster, with a Redis-compatible server on loopback port {Port}. Nothing outlives it.")]
    private partial void Running(int port);
}
