using System.ComponentModel.DataAnnotations;
using Detection.Silo;

namespace Detection.Frontend.Embedded;

/// <summary>The whole cluster in this process, for a machine where nothing is configured.</summary>
internal static partial class EmbeddedCluster
{
    private const string Redis = "ConnectionStrings:redis";

    /// <summary>
    /// With a Redis connection string: nothing, the front end is a client of the cluster there. Without: starts a
    /// Redis-compatible server, names it in the configuration, and hosts a silo beside the front end.
    /// </summary>
    public static void AddEmbeddedCluster(this WebApplicationBuilder builder)
    {
        if (!string.IsNullOrWhiteSpace(builder.Configuration[Redis]))
        {
            return;
        }

        var options = builder.Configuration.GetSection(EmbeddedOptions.Section).Get<EmbeddedOptions>() ?? new EmbeddedOptions();
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);

        // The silo's registration may want the connection string, and the container is not there before that.
        var loggers = LoggerFactory.Create(logging => logging
            .AddConfiguration(builder.Configuration.GetSection("Logging"))
            .AddSimpleConsole());
        var redis = EmbeddedRedis.Start(options, loggers);
        builder.Configuration[Redis] = redis.ConnectionString;
        builder.Services.AddHostedService(_ => redis);
        builder.AddDetectionSilo();
        Started(loggers.CreateLogger(typeof(EmbeddedCluster)), redis.Port);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information,
        Message = "No Redis is configured: this process is the whole cluster, with a Redis-compatible server on loopback port {Port}. Nothing outlives it.")]
    private static partial void Started(ILogger logger, int port);
}
