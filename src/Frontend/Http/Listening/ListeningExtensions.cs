using Detection.Client;
using Detection.Frontend.Http.Uploads;
using Detection.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Listening;

internal static class ListeningExtensions
{
    /// <summary>Address without a setting.</summary>
    private const string DefaultUrl = "http://localhost:8080";

    /// <summary>How many times the largest upload a body may have.</summary>
    private const int MaxBodyFactor = 8;

    private static readonly string[] AddressSettings = ["urls", "http_ports", "https_ports"];
    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(5);

    /// <summary>Address and limits of the HTTP server.</summary>
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
            // The reader of uploads has the exact limits. A body that is somewhat larger is read to its end nevertheless, for some seconds:
            // a client that is cut off while it sends does not see the answer.
            limits.MaxRequestBodySize = MaxBodyFactor * UploadReader.MaxBodyBytes(client.Value);
            limits.MaxConcurrentConnections = MaxConnections(options.Value);
            limits.MaxRequestHeadersTotalSize = options.Value.MaxHeaderBytes;
            limits.RequestHeadersTimeout = options.Value.HeadersTimeout;
            var rate = options.Value.MinBytesPerSecond;
            limits.MinRequestBodyDataRate = rate == 0 ? null : new MinDataRate(rate, RateGrace);
            limits.MinResponseDataRate = rate == 0 ? null : new MinDataRate(rate, RateGrace);
        });
    }

    /// <summary>One for each endpoint, as the server counts connections for each: a flood of one leaves the probes of another alone.</summary>
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
