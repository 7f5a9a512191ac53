using System.ComponentModel.DataAnnotations;
using Detection.Client;
using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Detection.Grains.Draining;
using Detection.Hosting;
using Detection.Hosting.Redis;

namespace Detection.Embedded;

/// <summary>The whole cluster in this process, for a machine without configuration.</summary>
public static class EmbeddedCluster
{
    private const string Redis = "ConnectionStrings:redis";
    private const string Pictures = "ConnectionStrings:pictures";
    private const string DefaultModel = $"{DetectionClientOptions.Section}:{nameof(DetectionClientOptions.DefaultModel)}";

    /// <summary>
    /// With a Redis connection string, only checks the setup of that Redis: the front end is a client of its cluster. Without one, starts a
    /// Redis-compatible server and a memory for pictures, sets their connection strings in the configuration, and hosts a silo beside the front end.
    /// </summary>
    public static void AddEmbeddedCluster(this WebApplicationBuilder builder)
    {
        if (!builder.AddEmbeddedRedis())
        {
            builder.Services.AddEvictionCheck();
            return;
        }

        builder.AddDetectionSilo();
        builder.Services.UseHostedSilo();
    }

    /// <summary>
    /// Starts a Redis-compatible server and a memory for pictures in this process, on loopback, and writes their connection strings to the
    /// configuration. Call <c>AddDetectionSilo</c> after it. With a Redis connection string it does nothing. The data is lost when the process ends.
    /// </summary>
    /// <returns>Whether they were started.</returns>
    /// <exception cref="ValidationException">A setting of the section <c>Detection:Embedded</c> is wrong.</exception>
    public static bool AddEmbeddedRedis(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (!string.IsNullOrWhiteSpace(builder.Configuration[Redis]))
        {
            return false;
        }

        var options = builder.Configuration.ReadValidated<EmbeddedOptions>(EmbeddedOptions.Section);
        var largest = builder.Configuration.Read<DetectionClientOptions>(DetectionClientOptions.Section).MaxPictureBytes;
        if ((long)options.PictureMemoryMegabytes * 1024 * 1024 < largest)
        {
            throw new ValidationException($"The setting 'Detection:Embedded:PictureMemoryMegabytes' is {options.PictureMemoryMegabytes}. Use one with room for a picture of Detection:Client:MaxPictureBytes, {largest} bytes.");
        }

        // Only here: in a cluster, a front end may start before the silos that have the model.
        builder.Configuration.RequireModel(DefaultModel);

        // The registration of the silo needs the connection string, so the server starts before there is a container with loggers.
        var loggers = LoggerFactory.Create(logging =>
            logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddFilter(static level => level >= LogLevel.Warning).AddConsole());
        var stores = EmbeddedStores.Start(options, SteadyClock.OfProcess, loggers);
        builder.Configuration[Redis] = stores.Redis.ConnectionString;
        builder.Configuration[Pictures] = stores.PicturesConnectionString;
        builder.Services.AddHostedService(services =>
            new EmbeddedLifetime(stores, services.GetRequiredService<ILogger<EmbeddedLifetime>>()));
        builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<RedisUpkeep>(services, stores, options));
        builder.Services.AddDroppedWork();
        return true;
    }
}
