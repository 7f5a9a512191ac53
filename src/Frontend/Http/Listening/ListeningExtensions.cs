using Detection.Client;
using Detection.Frontend.Http.Uploads;
using Detection.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Listening;

internal static class ListeningExtensions
{
    /// <summary>The address when no setting names one.</summary>
    private const string DefaultUrl = "http://localhost:8080";

    /// <summary>The server's limit of a body, as a multiple of the largest upload.</summary>
    private const int MaxBodyFactor = 8;

    private static readonly string[] AddressSettings = ["urls", "http_ports", "https_ports"];
    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(5);

    public static void AddListening(this WebApplicationBuilder builder)
    {
        var chosen = AddressSettings.Any(key => !string.IsNullOrEmpty(builder.Configuration[key]))
            || builder.Configuration.GetSection("Kestrel:Endpoints").Exists();
        if (!chosen)
        {
            builder.WebHost.UseUrls(DefaultUrl);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(ConnectionsOf(kestrel.ApplicationServices).Limit));
        });
        builder.Services.AddOptions<KestrelServerOptions>().Configure<IOptions<FrontendOptions>, IOptions<DetectionClientOptions>>(static (kestrel, options, client) =>
        {
            var limits = kestrel.Limits;
            // The reader of uploads applies the exact limits. The server still reads a somewhat larger body for some seconds: a client whose
            // connection is closed while it sends does not see the answer.
            limits.MaxRequestBodySize = MaxBodyFactor * UploadReader.MaxBodyBytes(client.Value);
            limits.MaxConcurrentConnections = MaxConnections(options.Value);
            limits.MaxRequestHeadersTotalSize = options.Value.MaxHeaderBytes;
            limits.RequestHeadersTimeout = options.Value.HeadersTimeout;
            var rate = options.Value.MinBytesPerSecond;
            limits.MinRequestBodyDataRate = rate == 0 ? null : new MinDataRate(rate, RateGrace);
            limits.MinResponseDataRate = rate == 0 ? null : new MinDataRate(rate, RateGrace);
        });
    }

    /// <summary>Each endpoint has its own limit, as in the server: a flood of one endpoint does not block the probes of another.</summary>
    private static AddressConnections ConnectionsOf(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<FrontendOptions>>().Value;
        var logger = services.GetRequiredService<ILogger<AddressConnections>>();
        var max = MaxConnections(options);
        if (max < options.MaxConnections)
        {
            AddressConnections.LogFewFiles(logger, OpenFileLimit.Value, max, options.MaxConnections);
        }

        return new AddressConnections(max, options.AddressConnectionShare, services.GetRequiredService<TimeProvider>(), logger);
    }

    private static int MaxConnections(FrontendOptions options) => (int)Math.Min(options.MaxConnections, OpenFileLimit.Connections);
}
