using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Detection.Client;

/// <summary>Registers the client.</summary>
public static class DetectionClientServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="IDetectionClient"/>, with options from the section <c>Detection:Client</c> and the connection string <c>redis</c>.
    /// The client connects at its first use; the cluster need not be up before.
    /// </summary>
    public static IServiceCollection AddDetectionClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.AddDetectionClient(options =>
        {
            configuration.GetSection(DetectionClientOptions.Section).Bind(options);
            if (configuration.GetConnectionString("redis") is { Length: > 0 } redis)
            {
                options.Redis = redis;
            }
        });
    }

    /// <summary>Registers <see cref="IDetectionClient"/> with options set in code.</summary>
    public static IServiceCollection AddDetectionClient(this IServiceCollection services, Action<DetectionClientOptions> configure)
    {
        services.AddOptions<DetectionClientOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IDetectionClient, DetectionClient>();
        return services;
    }
}
