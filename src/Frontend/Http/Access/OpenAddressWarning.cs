namespace Detection.Frontend.Http.Access;

/// <summary>Says so when everybody who reaches this machine may come in.</summary>
internal sealed partial class OpenAddressWarning(ListeningAddresses addresses, ILogger<OpenAddressWarning> logger) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var open = addresses.Open;
        if (open.Count > 0)
        {
            LogOpen(string.Join(", ", open));
        }

        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning,
        Message = "Everybody who reaches {Addresses} may use this server: it asks for no API keys. Configure some (Detection:Access:Keys) or listen on localhost.")]
    private partial void LogOpen(string addresses);
}
