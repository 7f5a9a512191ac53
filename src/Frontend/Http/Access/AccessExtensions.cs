using Detection.Contracts.Settings;
using Detection.Hosting.Management;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Detection.Frontend.Http.Access;

internal static class AccessExtensions
{
    /// <summary>Adds keys, when there are any, and limits. Requests to a listener for management alone need no key.</summary>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidatedOptions<AccessOptions>(AccessOptions.Section);
        services.AddSingleton<ListeningAddresses>();
        services.AddSingleton<CallerLimits>();
        if (!AreKeysAsked(builder.Configuration))
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

    /// <summary>Closes everything further down the pipeline that does not say <c>AllowAnonymous</c>.</summary>
    public static void UseAccess(this WebApplication app)
    {
        if (AreKeysAsked(app.Configuration))
        {
            app.UseAuthentication();
            app.UseAuthorization();
        }

        app.UseMiddleware<CallerLimits>();
    }

    /// <summary>Whose share of the queue a request takes: that of its key's name.</summary>
    public static string? Caller(this HttpContext http) => http.Features.Get<ApiKey>()?.Name;

    /// <summary>Who shares this process with others: a key, or an address where no keys are asked for.</summary>
    public static string Sharer(this HttpContext http) =>
        http.Caller() is { } key ? $"key {key}" : $"address {RemoteNetwork.Of(http.Connection.RemoteIpAddress)}";

    private static bool AreKeysAsked(IConfiguration configuration) =>
        configuration.Read<AccessOptions>(AccessOptions.Section).AreKeysAsked;
}
