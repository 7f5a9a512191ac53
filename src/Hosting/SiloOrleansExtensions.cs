using System.Net;
using Detection.Contracts.Storage;
using Detection.Grains.Devices;
using Detection.Grains.Membership;
using Detection.Grains.Placement;
using Detection.Grains.Requests;
using Detection.Hosting.Management;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Dashboard;
using StackExchange.Redis;

namespace Detection.Hosting;

/// <summary>Configures Orleans for a silo of the detection cluster.</summary>
internal static class SiloOrleansExtensions
{
    /// <summary>Adds the silo.</summary>
    public static void UseDetectionOrleans(this IHostApplicationBuilder builder, SiloEndpoint endpoint, ConfigurationOptions redis, RedisKeys keys, LocalDevices local) =>
        builder.UseOrleans(orleans => orleans
            .AddDashboard(builder.Configuration)
            .Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = keys.ClusterId;
                cluster.ServiceId = keys.ClusterId;
            })
            .Configure<Orleans.Configuration.SiloOptions>(options => options.SiloName = local.Silo)
            .ConfigureEndpoints(endpoint.Address, endpoint.Port, endpoint.GatewayPort, listenOnAnyHostAddress: !IPAddress.IsLoopback(endpoint.Address))
            .UseRedisClustering(options =>
            {
                options.ConfigurationOptions = redis;
                options.CreateRedisKey = _ => keys.Members;
            })
            .ConfigureServices(static services => services
                .AddOptions<RedisClusteringOptions>()
                .Configure<IConnectionMultiplexer>(static (clustering, shared) => clustering.CreateMultiplexer = _ => Task.FromResult((shared, IsShared: true))))
            .AddMembership()
            .AddRequests(redis, keys)
            .AddDevicePlacement(local.Devices.Select(static device => device.Id))
            .AddActivityPropagation());

    /// <summary>
    /// Minimum levels for messages of Orleans, which are hundreds at the start, and of Polly, which logs each retry of Orleans with a stack trace; Orleans
    /// logs what the retries do not mend. They are the first rules, so that those of <c>Logging:LogLevel</c> for the same or a narrower category replace them.
    /// </summary>
    public static void AddOrleansLogLevels(this IServiceCollection services) => services.Configure<LoggerFilterOptions>(static filters =>
    {
        filters.Rules.Insert(0, new LoggerFilterRule(null, "Orleans", LogLevel.Warning, null));
        filters.Rules.Insert(0, new LoggerFilterRule(null, "Orleans.Runtime.Watchdog", LogLevel.Error, null));
        filters.Rules.Insert(0, new LoggerFilterRule(null, "Polly", LogLevel.Critical, null));
    });

    private static ISiloBuilder AddDashboard(this ISiloBuilder orleans, IConfiguration configuration) =>
        ManagementExtensions.Options(configuration).OrleansDashboard ? orleans.AddDashboard() : orleans;
}
