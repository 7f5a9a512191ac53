using Detection.Contracts.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Membership;

/// <summary>Registers what keeps a silo in its cluster. The hosted services are to be added after Orleans, so that they stop before.</summary>
public static class MembershipServiceCollectionExtensions
{
    /// <summary>Adds what knows whether this silo and others reach Redis.</summary>
    public static IServiceCollection AddRedisReach(this IServiceCollection services)
    {
        services.AddValidatedOptions<CutOffOptions>(CutOffOptions.Section);
        return services.AddSingleton<RedisReach>().AddSingleton<RedisWitnesses>();
    }

    /// <summary>Adds the hosted service that puts a lost membership table back.</summary>
    public static IServiceCollection AddMembershipGuard(this IServiceCollection services) => services.AddHostedService<MembershipGuard>();

    /// <summary>Adds the hosted service that ends a silo which alone is cut off from Redis.</summary>
    public static IServiceCollection AddCutOffWatch(this IServiceCollection services) => services.AddHostedService<CutOffWatch>();
}
