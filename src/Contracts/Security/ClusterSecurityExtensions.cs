using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Security;

/// <summary>Registers <see cref="ClusterSecurity"/>.</summary>
public static class ClusterSecurityExtensions
{
    /// <summary>Adds the security of connections within the cluster, with the rules that cross its options, which the caller adds.</summary>
    public static IServiceCollection AddClusterSecurity(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ClusterSecurityOptions>, ClusterSecurityOptionsValidator>());
        services.TryAddSingleton<ClusterSecurity>();
        return services;
    }
}
