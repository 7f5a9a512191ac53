using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Security;

/// <summary>Registers <see cref="ClusterSecurity"/>.</summary>
public static class ClusterSecurityExtensions
{
    /// <summary>Adds the security of connections within the cluster, with options that are checked at the start.</summary>
    public static IServiceCollection AddClusterSecurity(this IServiceCollection services)
    {
        services.AddOptions<ClusterSecurityOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ClusterSecurityOptions>, ClusterSecurityOptionsValidator>());
        services.TryAddSingleton<ClusterSecurity>();
        return services;
    }
}
