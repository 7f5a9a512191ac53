using Detection.Contracts.Cluster;
using Detection.Contracts.Messages;
using Detection.Contracts.Security;
using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Cluster;
using Detection.Grains.Devices;
using Detection.Grains.Draining;
using Detection.Grains.Fetching;
using Detection.Grains.Health;
using Detection.Grains.Membership;
using Detection.Grains.Pulling;
using Detection.Grains.Queueing;
using Detection.Grains.Reporting;
using Detection.Grains.Requests;
using Detection.Grains.Webhooks;
using Detection.Hosting.Health;
using Detection.Hosting.Redis;
using Detection.Hosting.Settings;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Discovery;
using Detection.Inference.Repository;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Detection.Hosting;

/// <summary>Adds a silo of the detection cluster to a host.</summary>
public static class DetectionSiloExtensions
{
    /// <summary>
    /// Adds a silo to the cluster in the Redis of the connection string <c>redis</c>, with the devices of this machine that the settings name.
    /// </summary>
    /// <param name="builder">The host.</param>
    /// <exception cref="OptionsValidationException">A setting is wrong, or there is no connection string <c>redis</c>.</exception>
    public static IHostApplicationBuilder AddDetectionSilo(this IHostApplicationBuilder builder) => builder.AddDetectionSilo(FindDevices);

    /// <summary>Adds a silo with other devices than those of this machine.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="devices">The silo's devices, disposed with it.</param>
    /// <exception cref="OptionsValidationException">A setting is wrong, or there is no connection string <c>redis</c>.</exception>
    public static IHostApplicationBuilder AddDetectionSilo(this IHostApplicationBuilder builder, DeviceSet devices) =>
        builder.AddDetectionSilo(_ => devices);

    private static IHostApplicationBuilder AddDetectionSilo(this IHostApplicationBuilder builder, Func<IConfiguration, DeviceSet> devices)
    {
        ArgumentNullException.ThrowIfNull(builder);
        WorkerThreads.Reserve();
        var configuration = builder.Configuration;
        configuration.RequireKnownSettings();
        var connectionString = RequireRedis(configuration);
        var keys = new RedisKeys(ClusterId.Read(configuration));
        var redis = RedisConnection.Parse(connectionString);
        var silo = configuration.ReadValidated<SiloOptions>(SiloOptions.Section);
        var endpoint = SiloEndpoint.Choose(silo, redis);
        var local = LocalTo(silo.Name ?? $"{Environment.MachineName}-{endpoint.Port}", devices(configuration));

        var services = builder.Services;
        services.AddOrleansLogLevels();
        services.AddValidatedOptions<SiloOptions>(SiloOptions.Section);
        services.AddSingleton(local);
        services.AddSingleton<TimeProvider>(SteadyClock.OfProcess);
        services.AddSecuredPorts();
        services.AddGrainErrors();
        services.AddStores(configuration, connectionString, keys);
        services.AddRequestQueue();
        services.AddBatching();
        services.AddDeviceHealth();
        services.AddRedisReach();
        services.AddPictureFetching(configuration);
        services.AddWebhooks();
        services.AddSingleton<ILocalSiloDetails, ClusterSiloDetails>();

        // Registered before Orleans, so that Orleans starts after it.
        services.AddHostedService<RedisWait>();
        services.AddCommonSettings();
        services.AddEvictionCheck();
        builder.UseDetectionOrleans(endpoint, redis, keys, local);

        // Registered after Orleans: they stop before it, while grains can still be called.
        services.AddClusterView();
        services.AddAbandonedQueues();
        services.AddMembershipGuard();
        services.AddReporting();
        if (string.IsNullOrWhiteSpace(configuration.GetConnectionString("pictures")))
        {
            // A process that is the whole cluster and keeps its pictures itself cannot be cut off from its Redis.
            services.AddCutOffWatch();
        }

        services.AddInferenceHost();
        services.AddModelPulling();
        services.AddWebhookDelivery();
        services.AddHealthChecks().AddCheck<SiloHealthCheck>("silo", tags: [HealthEndpoints.Ready]);
        services.AddBacklogDrain();
        return builder;
    }

    private static string RequireRedis(IConfiguration configuration)
    {
        if (configuration.GetConnectionString("redis") is not { } redis || string.IsNullOrWhiteSpace(redis))
        {
            throw new OptionsValidationException("redis", typeof(string), ["A silo needs the connection string 'redis' (ConnectionStrings__redis)."]);
        }

        var pictures = configuration.GetConnectionString("pictures");
        List<string?> faults =
        [
            RedisConnection.FindFault("redis", redis), string.IsNullOrWhiteSpace(pictures) ? null : RedisConnection.FindFault("pictures", pictures),
        ];
        return faults.TrueForAll(static fault => fault is null) ? redis : throw new OptionsValidationException("redis", typeof(string), faults.OfType<string>());
    }

    private static DeviceSet FindDevices(IConfiguration configuration)
    {
        var options = configuration.ReadValidated(DeviceOptions.Section, new DeviceOptionsValidator());
        var models = configuration.ReadValidated<ModelOptions>(ModelOptions.Section);
        RequireDevicesAndModels(options, models);
        configuration.ApplyDecodingOptions();

        // Has the lifetime of the devices, which log what they load.
        var loggers = LoggerFactory.Create(logging => logging.AddConfiguration(configuration.GetSection("Logging")).AddConsole());
        return new DeviceDiscovery(options, SteadyClock.OfProcess, loggers, models.LoadTimeout).Open();
    }

    /// <exception cref="OptionsValidationException">A GPU is configured that this program cannot use, or there is no folder of models.</exception>
    private static void RequireDevicesAndModels(DeviceOptions options, ModelOptions models)
    {
        var names = options.SplitNames();
        if (names.FirstOrDefault(static name => name.StartsWith("cuda:", StringComparison.Ordinal)) is { } gpu && !DeviceDiscovery.IsBuiltForCuda)
        {
            throw new OptionsValidationException(DeviceOptions.Section, typeof(DeviceOptions),
                [$"The setting '{DeviceOptions.Section}:{nameof(options.Devices)}' names '{gpu}', and this program was built for the CPU. Use 'cpu' or 'auto', or a program built with -p:Accelerator=cuda."]);
        }

        if (names is not ["none"] && !Directory.Exists(models.Directory))
        {
            throw new OptionsValidationException(ModelOptions.Section, typeof(ModelOptions),
                [$"The setting '{ModelOptions.Section}:{nameof(models.Directory)}' is '{models.Directory}', and there is no folder {Path.GetFullPath(models.Directory)}. Create it, or use the folder that holds the models."]);
        }
    }

    private static LocalDevices LocalTo(string silo, DeviceSet found)
    {
        return new LocalDevices(
            silo,
            [.. found.Devices.Select(device => new LocalDevice(IdOf(device), device))],
            found.Problems);

        // The UUID of a GPU is unique; "cpu" is the name of a device in every silo.
        string IdOf(IInferenceDevice device) => device.HardwareId == device.Name ? $"{silo}/{device.Name}" : device.HardwareId;
    }

    private static void AddSecuredPorts(this IServiceCollection services)
    {
        services.AddClusterSecurity();
        services.AddValidatedOptions<ClusterSecurityOptions>(ClusterSecurityOptions.Section);
        services.AddOptions<SiloConnectionOptions>().Configure<ClusterSecurity>(static (connections, security) =>
        {
            connections.ConfigureSiloInboundConnection(security.Accept);
            connections.ConfigureSiloOutboundConnection(security.Connect);
            connections.ConfigureGatewayInboundConnection(security.Accept);
        });
    }

    private static void AddStores(this IServiceCollection services, IConfiguration configuration, string redis, RedisKeys keys)
    {
        services.AddValidatedOptions<ResultOptions>(ResultOptions.Section);
        services.AddSingleton(keys);
        services.AddSingleton(_ => new RedisConnections(redis, configuration.GetConnectionString("pictures")));
        services.AddSingleton(static provider => provider.GetRequiredService<RedisConnections>().ConnectAsync().AsTask().GetAwaiter().GetResult());
        services.AddSingleton<ClusterClock>();
        services.AddSingleton<ResultStore>();
        services.AddSingleton<DeadLetters>();
        services.AddSingleton<SiloBoard>();
    }
}
