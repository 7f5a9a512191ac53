using Detection.Contracts.Security;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Detection.Client;

/// <summary>
/// The connection to the Orleans cluster, made at first use, in a host of its own: an Orleans client in the application's container
/// would hold up its start until a silo is there, and could not stand beside a silo.
/// </summary>
/// <param name="options">Where the cluster is.</param>
/// <param name="keys">Where it lies in Redis.</param>
/// <param name="redis">The process' connections to its Redis.</param>
/// <param name="security">What its connections must show.</param>
/// <param name="loggers">For the connection's messages.</param>
/// <param name="silo">The silo of this process where it is one of the cluster: calls then go through it and no connection is made.</param>
internal sealed class ClusterConnection(
    DetectionClientOptions options, RedisKeys keys, RedisConnections redis, ClusterSecurity security, ILoggerFactory loggers, IClusterClient? silo) : IAsyncDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposing = new();
    private Task<IHost>? _host;

    /// <summary>The grains of the cluster; waits for a silo as long as <paramref name="cancellationToken"/> lets it.</summary>
    public async ValueTask<IGrainFactory> GetGrainsAsync(CancellationToken cancellationToken)
    {
        if (silo is not null)
        {
            return silo;
        }

        Task<IHost> host;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, this);
            if (_host is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _host = Task.Run(StartAsync, CancellationToken.None);
            }

            host = _host;
        }

        return (await host.WaitAsync(cancellationToken)).Services.GetRequiredService<IClusterClient>();
    }

    public async ValueTask DisposeAsync()
    {
        Task<IHost>? host;
        lock (_gate)
        {
            if (_disposing.IsCancellationRequested)
            {
                return;
            }

            _disposing.Cancel();
            host = _host;
        }

        if (host is not null)
        {
            try
            {
                using var started = await host;
                await started.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(2)).Token);
            }
            catch (Exception e) when (e is OperationCanceledException or OrleansException or SiloUnavailableException)
            {
                // It was never connected, or its cluster is gone.
            }
        }

        _disposing.Dispose();
    }

    private async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(loggers);
        builder.UseOrleansClient(client => client
            .Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = options.ClusterId;
                cluster.ServiceId = options.ClusterId;
            })
            .Configure<ClientConnectionOptions>(connections => connections.ConfigureConnection(security.Connect))
            .Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2))
            .UseRedisClustering(clustering =>
            {
                clustering.ConfigurationOptions = RedisConnection.Parse(options.Redis);
                clustering.CreateMultiplexer = async _ => (await redis.ConnectAsync(), IsShared: true);
                clustering.CreateRedisKey = _ => keys.Members;
            })
            .UseConnectionRetryFilter(RetryAsync)
            .AddActivityPropagation());
        var host = builder.Build();
        try
        {
            await host.StartAsync(_disposing.Token);
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    private async Task<bool> RetryAsync(Exception exception, CancellationToken cancellationToken)
    {
        // No silo yet, or no Redis yet: both may come.
        await Task.Delay(RetryInterval, cancellationToken);
        return !_disposing.IsCancellationRequested;
    }
}
