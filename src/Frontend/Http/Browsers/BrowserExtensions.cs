using Detection.Contracts.Settings;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>What keeps pages of other sites from using this server, and lets those in that the settings name.</summary>
internal static class BrowserExtensions
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    public static void AddBrowsers(this IServiceCollection services)
    {
        services.AddValidatedOptions<BrowserOptions>(BrowserOptions.Section);
        services.AddSingleton<HostFilter>();
        services.AddSingleton<CrossSiteFilter>();
        services.AddCors();
        services.ExposeHeaders("Location", "Retry-After", "Preference-Applied");
        services.AddOptions<CorsOptions>().Configure<IOptions<BrowserOptions>, IOptions<ExposedHeaders>>(static (cors, browsers, headers) =>
            cors.AddDefaultPolicy(policy => policy
                .SetIsOriginAllowed(browsers.Value.AllowsOrigin)
                .AllowAnyMethod()
                .AllowAnyHeader()
                .WithExposedHeaders([.. headers.Value.Names])
                .SetPreflightMaxAge(PreflightAge)));
    }

    /// <summary>Lets pages of other sites read headers of a feature's answers.</summary>
    public static void ExposeHeaders(this IServiceCollection services, params string[] names) =>
        services.Configure<ExposedHeaders>(headers => headers.Names.AddRange(names));

    /// <summary>Before everything that answers, and before keys are asked for: a preflight has none.</summary>
    public static void UseBrowsers(this IApplicationBuilder app)
    {
        app.UseMiddleware<HostFilter>();
        app.UseCors();
        app.UseMiddleware<CrossSiteFilter>();
    }
}
