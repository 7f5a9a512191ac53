using Detection.Contracts.Settings;
using Detection.Frontend.Api.Detections;
using Detection.Frontend.Protocols.OpenInference;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>What keeps pages of other sites from using this server, and lets those in that the settings name.</summary>
internal static class BrowserExtensions
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    private static readonly string[] Exposed =
        ["Location", "Retry-After", "Preference-Applied", AnswerHeaders.Cache, AnswerHeaders.ServerTiming, OpenInferenceEndpoints.HeaderLength];

    public static void AddBrowsers(this IServiceCollection services)
    {
        services.AddValidatedOptions<BrowserOptions>(BrowserOptions.Section);
        services.AddSingleton<HostFilter>();
        services.AddSingleton<CrossSiteFilter>();
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<BrowserOptions>>(static (cors, browsers) =>
            cors.AddDefaultPolicy(policy => policy
                .SetIsOriginAllowed(browsers.Value.AllowsOrigin)
                .AllowAnyMethod()
                .AllowAnyHeader()
                .WithExposedHeaders(Exposed)
                .SetPreflightMaxAge(PreflightAge)));
    }

    /// <summary>Before everything that answers, and before keys are asked for: a preflight has none.</summary>
    public static void UseBrowsers(this IApplicationBuilder app)
    {
        app.UseMiddleware<HostFilter>();
        app.UseCors();
        app.UseMiddleware<CrossSiteFilter>();
    }
}
