using Detection.Contracts.Cluster;
using Detection.Contracts.Messages;
using Detection.Contracts.Pictures;
using Detection.Contracts.Security;
using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Cluster;
using Detection.Grains.Devices;
using Detection.Grains.Fetching;
using Detection.Grains.Health;
using Detection.Grains.Membership;
using Detection.Grains.Placement;
using Detection.Grains.Queueing;
using Detection.Grains.Reporting;
using Detection.Grains.Requests;
using Detection.Grains.Webhooks;
using Detection.Hosting.Health;
using Detection.Hosting.Management;
using Detection.Hosting.Redis;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Discovery;
using Detection.Inference.Repository;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Runtime.MembershipService.SiloMetadata;
using StackExchange.Redis;

namespace Detection.Hosting;

/// <summary>Adds a silo of the detection cluster to a host.</summary>
public static class DetectionSiloHostingExtensions
{
    /// <summary>
    /// Adds a silo to the cluster in the Redis of the connection string <c>redis</c>.
    /// </summary>
    /// <param name="builder">The host.</param>
    /// <param name="devices">
    /// The silo's devices, disposed of with it; <see langword="null"/> for those of this machine that the settings name.
    /// </param>
    /// <exception cref="OptionsValidationException">A setting is wrong, or there is no connection string <c>redis</c>.</exception>
    public static IHostApplicationBuilder AddDetectionSilo(this IHostApplicationBuilder builder, DeviceSet? devices = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        WorkerThreads.Reserve();
        var configuration = builder.Configuration;
        var connectionString = configuration.GetConnectionString("redis")
            ?? throw new OptionsValidationException("redis", typeof(string), ["A silo needs the connection string 'redis' (ConnectionStrings__redis)."]);
        var keys = new RedisKeys(ClusterId.Read(configuration));
        var redis = RedisConnection.Parse(connectionString);
        var silo = configuration.GetSection(SiloOptions.Section).Get<SiloOptions>() ?? new SiloOptions();
        var endpoint = SiloEndpoint.Choose(silo, redis);
        var name = silo.Name ?? $"{Environment.MachineName}-{endpoint.Port}";

        var services = builder.Services;
        services.AddValidatedOptions<SiloOptions>(SiloOptions.Section);
        services.AddValidatedOptions<RequestOptions>(RequestOptions.Section);
        services.AddValidatedOptions<ResultOptions>(ResultOptions.Section);
        services.AddValidatedOptions<WebhookOptions>(WebhookOptions.Section);
        services.AddOptions<ImageKeyOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PictureTransferOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(keys);
        services.AddSingleton(_ => new RedisConnections(connectionString, configuration.GetConnectionString("pictures")));
        services.AddSingleton(provider => provider.GetRequiredService<RedisConnections>().ConnectAsync().AsTask().GetAwaiter().GetResult());
        services.AddSingleton<TimeProvider>(SteadyClock.OfProcess);
        services.AddSingleton<ClusterClock>();
        services.AddSecuredPorts(configuration);
        services.AddGrainErrors();

        var local = LocalTo(name, devices ?? FindDevices(configuration));
        services.AddSingleton(local);
        services.AddSingleton<ResultStore>();
        services.AddSingleton<SiloBoard>();
        services.AddSingleton<Admission>();
        services.AddRequestQueue();
        services.AddBatching();
        services.AddDeviceHealth();
        services.AddRedisReach();
        services.AddPictureFetching(configuration);
        services.AddWebhooks();

        services.AddSingleton<ILocalSiloDetails, ClusterSiloDetails>();

        // Before Orleans, which starts after it.
        services.AddHostedService<RedisWait>();
        services.AddCommonSettings();
        services.AddEvictionCheck();
        builder.UseOrleans(orleans => AddDashboard(orleans, configuration)
            .Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = keys.ClusterId;
                cluster.ServiceId = keys.ClusterId;
            })
            .Configure<Orleans.Configuration.SiloOptions>(options => options.SiloName = name)
            .ConfigureEndpoints(endpoint.Address, endpoint.Port, endpoint.GatewayPort, listenOnAnyHostAddress: !System.Net.IPAddress.IsLoopback(endpoint.Address))
            .UseRedisClustering(options =>
            {
                options.ConfigurationOptions = redis;
                options.CreateRedisKey = _ => keys.Members;
            })
            .ConfigureServices(orleansServices => DecorateMembershipTable(orleansServices
                .AddOptions<RedisClusteringOptions>()
                .Configure<IConnectionMultiplexer>((clustering, shared) => clustering.CreateMultiplexer = _ => Task.FromResult((shared, IsShared: true)))
                .Services))
            .AddRedisGrainStorage(RequestGrain.Storage, options => options.Configure<IOptions<RequestOptions>, IConnectionMultiplexer>((storage, requests, shared) =>
            {
                storage.ConfigurationOptions = redis;
                storage.CreateMultiplexer = _ => Task.FromResult((shared, IsShared: true));
                storage.GetStorageKey = (_, grain) => keys.State(grain.Key.ToString()!);

                // Whole seconds, and well above the time that a grain lives: a write after the expiry would fail.
                storage.EntryExpiry = TimeSpan.FromSeconds(Math.Ceiling((requests.Value.FailureExpiry + (2 * requests.Value.IdleAge)).TotalSeconds));
            }))
            .Configure<ClusterMembershipOptions>(membership =>
            {
                // A silo that fell silent is out of the cluster within about five seconds: that long nothing may have come from it,
                // MaxProbeTimeout times the limit. A connection that was closed tells sooner.
                membership.ProbeTimeout = TimeSpan.FromSeconds(1);
                membership.MaxProbeTimeout = TimeSpan.FromSeconds(1.5);
                membership.NumMissedProbesLimit = 3;
                membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
                membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
                membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
                membership.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);

                // Both go by the clocks of two machines, which may differ by hours. Whoever died while it joined is noticed by probes.
                membership.SiloGenerationRetirementAge = TimeSpan.FromDays(1);
                membership.EvictWhenMaxJoinAttemptTimeExceeded = false;
            })
            .Configure<GrainCollectionOptions>(collection =>
            {
                collection.CollectionQuantum = TimeSpan.FromSeconds(5);
                collection.ClassSpecificCollectionAge[typeof(RequestGrain).FullName!] =
                    configuration.GetSection(RequestOptions.Section).Get<RequestOptions>()?.IdleAge ?? new RequestOptions().IdleAge;
            })
            .UseSiloMetadata(new Dictionary<string, string>
            {
                [DevicePlacementDirector.MetadataKey] = string.Join(DevicePlacementDirector.Separator, local.Devices.Select(device => device.Id)),
            })
            .AddPlacementDirector<DevicePlacement, DevicePlacementDirector>()
            .AddGrainService<RedisWitness>()
            .AddActivityPropagation());

        // After Orleans: they stop before it, while grains can still be called.
        services.AddHostedSingleton<ClusterView>();
        services.AddHostedSingleton<AbandonedQueues>();
        services.AddMembershipGuard();
        services.AddReporting();
        if (string.IsNullOrWhiteSpace(configuration.GetConnectionString("pictures")))
        {
            // Where one process is the cluster and has its pictures, nothing lies between it and its Redis.
            services.AddCutOffWatch();
        }

        services.AddInferenceHost();
        services.AddWebhookDelivery();
        services.AddHealthChecks().AddCheck<SiloHealthCheck>("silo", tags: ["ready"]);
        return builder;
    }

    /// <summary>
    /// Puts <see cref="StartingMembershipTable"/>, <see cref="LeavingMembershipTable"/> and <see cref="ClusterTimeMembershipTable"/> before the
    /// membership table that is registered.
    /// </summary>
    private static void DecorateMembershipTable(IServiceCollection services)
    {
        var table = services.Last(service => service.ServiceType == typeof(IMembershipTable));
        services.Remove(table);
        services.AddSingleton<IMembershipTable>(provider => new ClusterTimeMembershipTable(
            ActivatorUtilities.CreateInstance<LeavingMembershipTable>(
                provider,
                ActivatorUtilities.CreateInstance<StartingMembershipTable>(provider, table.ImplementationFactory!(provider))),
            provider.GetRequiredService<ClusterClock>(),
            TimeProvider.System,
            provider.GetRequiredService<TimeProvider>()));
    }

    private static ISiloBuilder AddDashboard(ISiloBuilder orleans, IConfiguration configuration) =>
        ManagementExtensions.Options(configuration).OrleansDashboard ? orleans.AddDashboard() : orleans;

    private static DeviceSet FindDevices(IConfiguration configuration)
    {
        var options = configuration.GetSection(DeviceOptions.Section).Get<DeviceOptions>() ?? new DeviceOptions();
        var valid = new DeviceOptionsValidator().Validate(null, options);
        if (valid.Failed)
        {
            throw new OptionsValidationException(DeviceOptions.Section, typeof(DeviceOptions), valid.Failures);
        }

        configuration.ApplyDecodingOptions();

        // Lives as long as the devices, which log what they load.
        var loggers = LoggerFactory.Create(logging => logging.AddConfiguration(configuration.GetSection("Logging")).AddConsole());
        var models = configuration.GetSection(ModelOptions.Section).Get<ModelOptions>();
        return new DeviceDiscovery(options, SteadyClock.OfProcess, loggers, models?.LoadTimeout).Open();
    }

    private static LocalDevices LocalTo(string silo, DeviceSet found)
    {
        return new LocalDevices(
            silo,
            [.. found.Devices.Select(device => new LocalDevice(IdOf(device), device))],
            found.Problems);

        // A GPU's UUID is its own wherever it is; "cpu" is the name of one in every silo.
        string IdOf(IInferenceDevice device) => device.HardwareId == device.Name ? $"{silo}/{device.Name}" : device.HardwareId;
    }

    private static void AddSecuredPorts(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddClusterSecurity();
        services.Configure<ClusterSecurityOptions>(configuration.GetSection(ClusterSecurityOptions.Section));
        services.AddOptions<SiloConnectionOptions>().Configure<ClusterSecurity>(static (connections, security) =>
        {
            connections.ConfigureSiloInboundConnection(security.Accept);
            connections.ConfigureSiloOutboundConnection(security.Connect);
            connections.ConfigureGatewayInboundConnection(security.Accept);
        });
    }

    private static void AddHostedSingleton<T>(this IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
