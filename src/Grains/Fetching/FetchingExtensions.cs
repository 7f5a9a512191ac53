using Detection.Contracts.Pictures;
using Detection.Contracts.Settings;
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
        services.AddValidatedOptions<FetchOptions>(FetchOptions.Section, configuration);
        services.AddValidatedOptions<PictureOptions>(PictureOptions.Section, configuration);
        services.AddValidatedOptions<ImageKeyOptions>(ImageKeyOptions.Section, configuration);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FetchOptions>, FetchOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ImageKeys>();
        services.AddValidatedOptions<PictureTransferOptions>(PictureTransferOptions.Section, configuration);
        services.TryAddSingleton<PictureStore>();
        services.TryAddSingleton<IHostResolver, DnsHostResolver>();
        services.TryAddSingleton<EgressGuard>();
        services.TryAddSingleton<GuardedHttp>();
        services.TryAddSingleton<FetchMetrics>();
        services.TryAddSingleton<PictureFetcher>();
        return services;
    }
}
