using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace Detection.Grains.Membership;

/// <summary>Registers how a silo joins, watches and leaves its cluster.</summary>
public static class MembershipHostingExtensions
{
    /// <summary>Adds what guards the membership table of a silo. To be called after the table was registered.</summary>
    /// <param name="orleans">The silo.</param>
    public static ISiloBuilder AddMembership(this ISiloBuilder orleans)
    {
        ArgumentNullException.ThrowIfNull(orleans);
        DecorateTable(orleans.Services);
        return orleans
            .Configure<ClusterMembershipOptions>(static membership =>
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
            .AddGrainService<RedisWitness>();
    }

    /// <summary>
    /// Puts <see cref="StartingMembershipTable"/>, <see cref="LeavingMembershipTable"/> and <see cref="ClusterTimeMembershipTable"/> before the
    /// membership table that is registered.
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
