using Detection.Contracts.Settings;
using Detection.Hosting.Management;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Access;

internal static class AccessExtensions
{
    /// <summary>Adds API keys, when any are configured, and limits. Requests to the management port need no key.</summary>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidatedOptions<AccessOptions>(AccessOptions.Section);
        services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        services.AddSingleton<ListeningAddresses>();
        services.AddSingleton<CallerLimits>();
        services.AddSingleton<Administrators>();
        if (!RequiresKeys(builder.Configuration))
        {
            services.AddHostedService<OpenAddressWarning>();
            return;
        }

        services.AddSingleton<ApiKeys>();
        services.AddHostedService(static provider => provider.GetRequiredService<ApiKeys>());
        services.AddAuthentication(ApiKeyHandler.Scheme).AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.Scheme, null);
        var management = ManagementExtensions.Port(builder.Configuration);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder()
            .RequireAssertion(context => context.User.Identity?.IsAuthenticated == true
                || (context.Resource is HttpContext http && http.Connection.LocalPort == management))
            .Build());
    }

    /// <summary>Requires a key, when any are configured, for all endpoints without <c>AllowAnonymous</c>, and applies the limits.</summary>
    public static void UseAccess(this WebApplication app)
    {
        if (RequiresKeys(app.Configuration))
        {
            app.UseAuthentication();
            app.UseAuthorization();
        }

        app.UseMiddleware<CallerLimits>();
    }

    /// <summary>The caller whose share of the queue a request uses: the name of its key, or <see langword="null"/> without a key.</summary>
    public static string? Caller(this HttpContext http) => http.Features.Get<ApiKey>()?.Name;

    /// <summary>The caller whose share of this process a request uses: its key, or its address when the server requires no keys.</summary>
    public static string CallerOrAddress(this HttpContext http) =>
        http.Caller() is { } key ? $"key {key}" : $"address {RemoteNetwork.Of(http.Connection.RemoteIpAddress)}";

    private static bool RequiresKeys(IConfiguration configuration) =>
        configuration.Read<AccessOptions>(AccessOptions.Section).RequiresKeys;
}
