using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Draining;

/// <summary>Registration of what a process does at its stop that is the whole cluster.</summary>
public static class DrainingExtensions
{
    /// <summary>Adds what tells at the end what is dropped. To be called before a silo is added, so that it stops after it.</summary>
    public static IServiceCollection AddDroppedWork(this IServiceCollection services)
    {
        services.AddSingleton<Backlog>();
        return services.AddHostedService<DroppedWork>();
    }

    /// <summary>Adds what waits for the work that was accepted. To be called after a silo was added, so that it stops before it.</summary>
    public static IServiceCollection AddBacklogDrain(this IServiceCollection services) => services.AddHostedService<BacklogDrain>();
}
