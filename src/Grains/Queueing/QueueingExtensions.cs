using Detection.Contracts.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Queueing;

/// <summary>Registers the queue.</summary>
public static class QueueingExtensions
{
    /// <summary>Adds the queues of requests.</summary>
    public static IServiceCollection AddRequestQueue(this IServiceCollection services)
    {
        services.AddValidatedOptions<QueueOptions>(QueueOptions.Section);
        return services.AddSingleton<RequestQueue>().AddSingleton<BatcherQueue>();
    }
}
