using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>A named client. It has its own container and disposes of it.</summary>
internal sealed class NamedClient : IAsyncDisposable, IDisposable
{
    private readonly ServiceProvider _services;

    /// <param name="application">The application's container, which has the loggers and the clock.</param>
    /// <param name="add">Registers the client.</param>
    public NamedClient(IServiceProvider application, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection()
            .AddSingleton(application.GetRequiredService<ILoggerFactory>())
            .AddSingleton(application.GetRequiredService<TimeProvider>());
        add(services);
        _services = services.BuildServiceProvider();
    }

    public IDetectionClient Client => _services.GetRequiredService<IDetectionClient>();

    public IClusterReports Reports => _services.GetRequiredService<IClusterReports>();

    public void Dispose() => _services.Dispose();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
