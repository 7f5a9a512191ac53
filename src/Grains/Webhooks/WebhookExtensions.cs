using Detection.Contracts.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>Registration of webhooks.</summary>
public static class WebhookExtensions
{
    /// <summary>Adds the registration of webhooks. Picture fetching must be added too: its egress guard decides which URLs are allowed.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddValidatedOptions<WebhookOptions>(WebhookOptions.Section);
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        services.AddSingleton<WebhookSigner>();
        services.AddSingleton<WebhookStore>();
        services.AddSingleton<WebhookIntake>();
        services.AddSingleton<WebhookBodies>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<WebhookMetrics>();
        return services;
    }

    /// <summary>Adds the delivery of webhooks. Call it after Orleans was added, so that it stops before Orleans.</summary>
    public static IServiceCollection AddWebhookDelivery(this IServiceCollection services) =>
        services.AddSingleton<WebhookContent>().AddSingleton<WebhookDelivery>()
            .AddSingleton<WebhookDeliverer>().AddHostedService(static provider => provider.GetRequiredService<WebhookDeliverer>());
}
