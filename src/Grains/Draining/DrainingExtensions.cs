using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Draining;

/// <summary>Registers what a process that is the whole cluster does when it stops.</summary>
public static class DrainingExtensions
{
    /// <summary>Adds the service that logs dropped work. Call it before a silo is added, so that it stops after the silo.</summary>
    public static IServiceCollection AddDroppedWork(this IServiceCollection services) => services.AddHostedService<DroppedWork>();

    /// <summary>
    /// Adds the service that waits for accepted work, when <see cref="AddDroppedWork"/> was called before. Call it after the other services of a silo
    /// were added, so that it stops before them.
    /// </summary>
    public static IServiceCollection AddBacklogDrain(this IServiceCollection services) =>
        services.Any(static service => service.ImplementationType == typeof(DroppedWork)) ? services.AddHostedService<BacklogDrain>() : services;
}
