namespace Detection.Frontend.Http.Access;

/// <summary>Warns when the server has no API keys and other machines can reach it.</summary>
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
        Message = "The server listens on {Addresses} without API keys, so any client on the network can use it. Set Detection:Access:Keys, or listen on localhost.")]
    private partial void LogOpen(string addresses);
}
