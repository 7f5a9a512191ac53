namespace Detection.Frontend.Http.Access;

/// <summary>Warns when the server has no API keys and other machines can reach it.</summary>
internal sealed partial class OpenAddressWarning(ListeningAddresses addresses, IHostApplicationLifetime lifetime, ILogger<OpenAddressWarning> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(Warn);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Warn()
    {
        if (addresses.Open is { Count: > 0 } open)
        {
            LogOpen(string.Join(", ", open));
        }
    }

    [LoggerMessage(1, LogLevel.Warning,
        "The server listens on {Addresses} without API keys, so any client on the network can use it. Set Detection:Access:Keys, or listen on localhost.")]
    private partial void LogOpen(string addresses);
}
