using Detection.Contracts.Messages;
using Detection.Contracts.Pictures;
using Detection.Contracts.Security;
using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Client;

/// <summary>Registers the client.</summary>
public static class DetectionClientServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="IDetectionClient"/>, with options from the sections <c>Detection:Client</c>, <c>Detection:ImageKeys</c> and
    /// <c>Detection:ClusterSecurity</c>, the connection string <c>redis</c> and <c>Detection:ClusterId</c>.
    /// The client connects at its first use; the cluster does not have to run before.
    /// </summary>
    public static IServiceCollection AddDetectionClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddValidatedOptions<ImageKeyOptions>(ImageKeyOptions.Section, configuration);
        services.AddValidatedOptions<PictureTransferOptions>(PictureTransferOptions.Section, configuration);
        services.AddValidatedOptions<ClusterSecurityOptions>(ClusterSecurityOptions.Section, configuration);
        services.AddValidatedOptions<DetectionClientOptions>(DetectionClientOptions.Section, configuration).Configure(options =>
        {
            if (configuration.GetConnectionString("redis") is { Length: > 0 } redis)
            {
                options.Redis = redis;
            }

            if (configuration.GetConnectionString("pictures") is { Length: > 0 } pictures)
            {
                options.PictureMemory = pictures;
            }

            ClusterId.RefuseFormerSettings(configuration);
            RefuseUnknownSettings(configuration);
            if (configuration[ClusterId.Setting] is { Length: > 0 } cluster)
            {
                options.ClusterId = cluster;
            }
        });
        return services.AddClient();
    }

    /// <summary>
    /// Registers <see cref="IDetectionClient"/> with options set in code. If the cluster has a secret or certificates, set
    /// <see cref="ImageKeyOptions"/> and <see cref="ClusterSecurityOptions"/> with <c>services.Configure</c>.
    /// </summary>
    public static IServiceCollection AddDetectionClient(this IServiceCollection services, Action<DetectionClientOptions> configure)
    {
        services.AddOptions<DetectionClientOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ImageKeyOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PictureTransferOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ClusterSecurityOptions>().ValidateDataAnnotations().ValidateOnStart();
        return services.AddClient();
    }

    /// <summary>
    /// Registers a named <see cref="IDetectionClient"/>, for another cluster or with other options. <c>[FromKeyedServices("name")] IDetectionClient</c>
    /// injects it. It has its own connections and uses the loggers and the clock of the application.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The name.</param>
    /// <param name="configuration">
    /// The settings, with the same names as for the client without a name: <c>builder.Configuration.GetSection("Night")</c> has
    /// <c>Night:ConnectionStrings:redis</c>.
    /// </param>
    public static IServiceCollection AddDetectionClient(this IServiceCollection services, string name, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.AddNamed(name, own => own.AddDetectionClient(configuration));
    }

    /// <summary>The same with options set in code.</summary>
    /// <inheritdoc cref="AddDetectionClient(IServiceCollection, string, IConfiguration)"/>
    public static IServiceCollection AddDetectionClient(this IServiceCollection services, string name, Action<DetectionClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddNamed(name, own => own.AddDetectionClient(configure));
    }

    /// <summary>
    /// Makes the client call through the silo of this process, instead of a connection to the cluster. Use it in a process that hosts a silo of the
    /// same cluster, after <see cref="AddDetectionClient(IServiceCollection, IConfiguration)"/>.
    /// </summary>
    public static IServiceCollection UseHostedSilo(this IServiceCollection services)
    {
        services.AddOptions<DetectionClientOptions>().PostConfigure<RedisKeys>(static (options, keys) => options.ClusterId = keys.ClusterId);
        services.Replace(ServiceDescriptor.Singleton<ClientConnections>(static provider =>
            Connect(provider, provider.GetRequiredService<IClusterClient>(), provider.GetRequiredService<RedisConnections>())));
        return services;
    }

    /// <exception cref="OptionsValidationException">A setting of the client does not exist, for example because it is misspelt.</exception>
    private static void RefuseUnknownSettings(IConfiguration configuration)
    {
        var known = typeof(DetectionClientOptions).GetProperties().Select(static property => property.Name).ToList();
        var faults = configuration.GetSection(DetectionClientOptions.Section).GetChildren()
            .Where(setting => !string.IsNullOrEmpty(setting.Value) && !known.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
            .Select(setting => $"The setting '{setting.Path}' does not exist. {NearestName.Proposal(setting.Key, known)}")
            .ToList();
        if (faults.Count > 0)
        {
            throw new OptionsValidationException(DetectionClientOptions.Section, typeof(DetectionClientOptions), faults);
        }
    }

    private static IServiceCollection AddClient(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DetectionClientOptions>, DetectionClientOptionsValidator>());
        services.AddLogging();
        services.AddClusterSecurity();
        services.TryAddSingleton<ImageKeys>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClientConnections>(static provider => Connect(provider));
        services.TryAddSingleton<ImageKeyComparison>();
        services.TryAddSingleton<ModelCatalog>();
        services.TryAddSingleton<ModelLookup>();
        services.TryAddSingleton<OperationRunner>();
        services.TryAddSingleton<SharedWatches>();
        services.TryAddSingleton<RequestConversation>();
        services.TryAddSingleton<UrlPictures>();
        services.TryAddSingleton<PictureReader>();
        services.TryAddSingleton<DetectionClient>();
        services.TryAddSingleton<IDetectionClient>(static provider => provider.GetRequiredService<DetectionClient>());
        services.TryAddSingleton<IClusterAdministration, ClusterAdministration>();
        services.TryAddSingleton<IClusterReports>(static provider => provider.GetRequiredService<DetectionClient>());
        return services;
    }

    private static IServiceCollection AddNamed(this IServiceCollection services, string name, Action<IServiceCollection> add)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddKeyedSingleton(name, (application, _) => new NamedClient(application, add));
        services.AddKeyedSingleton(name, static (application, key) => application.GetRequiredKeyedService<NamedClient>(key).Client);
        services.AddKeyedSingleton(name, static (application, key) => application.GetRequiredKeyedService<NamedClient>(key).Reports);
        return services;
    }

    private static ClientConnections Connect(IServiceProvider services, IClusterClient? silo = null, RedisConnections? redis = null) => new(
        services.GetRequiredService<IOptions<DetectionClientOptions>>(),
        services.GetRequiredService<IOptions<PictureTransferOptions>>(),
        services.GetRequiredService<ClusterSecurity>(),
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILoggerFactory>(),
        silo,
        redis);
}
