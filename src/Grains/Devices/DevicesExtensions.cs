using Detection.Contracts.Settings;
using Detection.Inference.Repository;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Devices;

/// <summary>Registers the serving of models on the silo's devices.</summary>
public static class DevicesExtensions
{
    /// <summary>
    /// Adds the models, and the hosted service that keeps the devices serving. Call it after Orleans was added, so that it stops before Orleans:
    /// grains can still be called while the batchers drain.
    /// </summary>
    public static IServiceCollection AddInferenceHost(this IServiceCollection services)
    {
        services.AddValidatedOptions<ModelOptions>(ModelOptions.Section);
        services.AddSingleton<ModelRepository>();
        services.AddSingleton<ServedModelFactory>();
        services.AddSingleton<InferenceHost>();
        return services.AddSingleton<InferenceService>().AddHostedService(static provider => provider.GetRequiredService<InferenceService>());
    }
}
