namespace Detection.Hosting.Redis;

/// <summary>Registers the check of how Redis is set up.</summary>
public static class EvictionCheckExtensions
{
    /// <summary>
    /// Warns once when the Redis of the connection string <c>redis</c> may evict what the cluster needs. For processes without a silo: a silo does it by itself.
    /// </summary>
    public static IServiceCollection AddEvictionCheck(this IServiceCollection services) => services.AddHostedService<EvictionCheck>();
}
