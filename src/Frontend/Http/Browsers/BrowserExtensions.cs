using Detection.Contracts.Settings;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>Refuses requests from pages of other sites, except those that the settings allow.</summary>
internal static class BrowserExtensions
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    public static void AddBrowsers(this IServiceCollection services)
    {
        services.AddValidatedOptions<BrowserOptions>(BrowserOptions.Section);
        services.AddSingleton<IValidateOptions<BrowserOptions>, BrowserOptionsValidator>();
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

    /// <summary>Allows pages of other sites to read these headers of answers.</summary>
    public static void ExposeHeaders(this IServiceCollection services, params string[] names) =>
        services.Configure<ExposedHeaders>(headers => headers.Names.AddRange(names));

    /// <summary>Call it before the middleware that answers, and before the keys are checked: a preflight request has no key.</summary>
    public static void UseBrowsers(this IApplicationBuilder app)
    {
        app.UseMiddleware<HostFilter>();
        app.UseCors();
        app.UseMiddleware<CrossSiteFilter>();
    }
}
