namespace Detection.Hosting.Redis;

/// <summary>Registers the check of the setup of Redis.</summary>
public static class EvictionCheckExtensions
{
    /// <summary>
    /// Warns once when the Redis of the connection string <c>redis</c> may evict data that the cluster needs. For processes without a silo: a silo
    /// adds the check itself.
    /// </summary>
    public static IServiceCollection AddEvictionCheck(this IServiceCollection services) => services.AddHostedService<EvictionCheck>();
}
