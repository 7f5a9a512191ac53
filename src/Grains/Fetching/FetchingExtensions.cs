using Detection.Contracts.Pictures;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>Registration of picture fetching.</summary>
public static class FetchingExtensions
{
    /// <summary>
    /// Adds what <see cref="Detection.Contracts.Fetching.IPictureFetchGrain"/> needs on a silo. A
    /// <see cref="StackExchange.Redis.IConnectionMultiplexer"/> and <see cref="RedisConnections"/> must be registered too.
    /// </summary>
    /// <param name="services">The silo's services.</param>
    /// <param name="configuration">The root: <see cref="FetchOptions.Section"/>, <see cref="PictureOptions.Section"/> and <see cref="ImageKeyOptions.Section"/> are read.</param>
    public static IServiceCollection AddPictureFetching(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);

        services.AddMetrics();
        services.AddOptions<FetchOptions>().Bind(configuration.GetSection(FetchOptions.Section)).ValidateOnStart();
        services.AddOptions<PictureOptions>().Bind(configuration.GetSection(PictureOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ImageKeyOptions>().Bind(configuration.GetSection(ImageKeyOptions.Section));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FetchOptions>, FetchOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ImageKeys>();
        services.AddOptions<PictureTransferOptions>().Bind(configuration.GetSection(PictureTransferOptions.Section));
        services.TryAddSingleton<PictureStore>();
        services.TryAddSingleton<IHostResolver, DnsHostResolver>();
        services.TryAddSingleton<EgressGuard>();
        services.TryAddSingleton<GuardedHttp>();
        services.TryAddSingleton<FetchMetrics>();
        services.TryAddSingleton<PictureFetcher>();
        return services;
    }
}
