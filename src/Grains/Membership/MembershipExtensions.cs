using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace Detection.Grains.Membership;

/// <summary>Registers how a silo joins, watches and leaves its cluster. Add the hosted services after Orleans, so that they stop before it.</summary>
public static class MembershipExtensions
{
    /// <summary>Adds the decorators of the membership table. Call it after the table was registered.</summary>
    /// <param name="orleans">The silo.</param>
    public static ISiloBuilder AddMembership(this ISiloBuilder orleans)
    {
        ArgumentNullException.ThrowIfNull(orleans);
        DecorateTable(orleans.Services);
        return orleans
            .Configure<ClusterMembershipOptions>(static membership =>
            {
                // A silent silo is out of the cluster after about five seconds: MaxProbeTimeout times the limit without a message from it. A closed
                // connection is noticed sooner.
                membership.ProbeTimeout = TimeSpan.FromSeconds(1);
                membership.MaxProbeTimeout = TimeSpan.FromSeconds(1.5);
                membership.NumMissedProbesLimit = 3;
                membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
                membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
                membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
                membership.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);

                // Both settings compare the clocks of two machines, which may differ by hours. A silo that died while it joined is detected by probes.
                membership.SiloGenerationRetirementAge = TimeSpan.FromDays(1);
                membership.EvictWhenMaxJoinAttemptTimeExceeded = false;
            })
            .AddGrainService<RedisWitness>();
    }

    /// <summary>Adds the checks whether this silo and others reach Redis.</summary>
    public static IServiceCollection AddRedisReach(this IServiceCollection services)
    {
        services.AddValidatedOptions<CutOffOptions>(CutOffOptions.Section);
        return services.AddSingleton<RedisReach>().AddSingleton<RedisWitnesses>();
    }

    /// <summary>Adds the hosted service that restores a lost membership table.</summary>
    public static IServiceCollection AddMembershipGuard(this IServiceCollection services) => services.AddHostedService<MembershipGuard>();

    /// <summary>Adds the hosted service that stops a silo which alone is cut off from Redis.</summary>
    public static IServiceCollection AddCutOffWatch(this IServiceCollection services) => services.AddHostedService<CutOffWatch>();

    /// <summary>
    /// Wraps the registered membership table in <see cref="StartingMembershipTable"/>, <see cref="LeavingMembershipTable"/> and
    /// <see cref="ClusterTimeMembershipTable"/>.
    /// </summary>
    private static void DecorateTable(IServiceCollection services)
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
}
