using Detection.Contracts.Messages;
using Detection.Contracts.Security;
using Detection.Contracts.Storage;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Detection.Client;

/// <summary>
/// The connection to the Orleans cluster, made at first use, in a separate host. An Orleans client in the application's container would block the
/// start of the application until a silo is reachable, and cannot be registered in a container that has a silo.
/// </summary>
internal sealed class ClusterConnection(
    DetectionClientOptions options, RedisKeys keys, RedisConnections redis, ClusterSecurity security, ILoggerFactory loggers, IClusterClient? silo) : IAsyncDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly ClusterReach _reach = new();
    private Task<IHost>? _host;

    /// <inheritdoc cref="ClusterReach.NextClosed"/>
    public Task NextClosed => _reach.NextClosed;

    /// <summary>The grains of the cluster. Waits for a silo until <paramref name="cancellationToken"/> is cancelled.</summary>
    public async ValueTask<IGrainFactory> GetGrainsAsync(CancellationToken cancellationToken)
    {
        if (silo is not null)
        {
            return silo;
        }

        Task<IHost> host;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, typeof(IDetectionClient));
            if (_host is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _host = DetachedWork.Run(StartAsync);
            }

            host = _host;
        }

        return (await host.WaitAsync(cancellationToken)).Services.GetRequiredService<IClusterClient>();
    }

    /// <summary>Waits until a silo has accepted or refused a connection of this process.</summary>
    /// <exception cref="DetectionException">No silo accepts a connection. Attempts continue in the background.</exception>
    public async Task ReachAsync(CancellationToken cancellationToken)
    {
        if (silo is not null || _reach.IsConnected)
        {
            return;
        }

        var grains = GetGrainsAsync(cancellationToken);
        if (grains.IsCompletedSuccessfully)
        {
            // Orleans connects again when there is something to send.
            (await grains).GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true, cancellationToken).Ignore();
        }
        else
        {
            grains.AsTask().Ignore();
        }

        while (!_reach.IsConnected)
        {
            ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, typeof(IDetectionClient));
            if (_reach.Fault is { } fault)
            {
                throw new DetectionException(FailureReason.Unavailable, $"No silo accepted a connection from this process: {fault.TrimEnd('.')}.");
            }

            await Task.Delay(LookInterval, cancellationToken).ConfigureAwait(false);
        }
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
                // The connection was never made, or the cluster is gone.
            }
        }

        _disposing.Dispose();
    }

    private async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IHostLifetime, DetachedLifetime>();
        builder.Services.AddSingleton<ILoggerFactory>(new ConnectionLoggers(loggers, options.ConnectionLogLevel));
        builder.Services.AddGrainErrors();
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
            .AddClusterConnectionStatusObserver(_reach)
            .AddActivityPropagation());
        var host = builder.Build();
        try
        {
            await host.StartAsync(_disposing.Token);
            _reach.Connected();
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
        // No silo or no Redis is reachable yet: keep trying.
        _reach.Failed(exception);
        await Task.Delay(RetryInterval, cancellationToken);
        return !_disposing.IsCancellationRequested;
    }
}
