using Detection.Contracts.Cluster;
using Detection.Contracts.Settings;
using Detection.Grains.Fetching;
using Detection.Inference.Pulling;
using Detection.Inference.Repository;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Pulling;

/// <summary>Registration of pulling models.</summary>
public static class PullingExtensions
{
    /// <summary>Adds the hosted service that pulls models. Call it after <see cref="FetchingExtensions.AddPictureFetching"/>, whose egress guard it uses.</summary>
    public static IServiceCollection AddModelPulling(this IServiceCollection services)
    {
        services.AddValidatedOptions<PullOptions>(PullOptions.Section);
        services.AddValidatedOptions<ModelSourceOptions>(ModelSourceOptions.Section);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PullOptions>, PullOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ModelSourceOptions>, ModelSourceOptionsValidator>());
        services.AddSingleton<WantedBoard>();
        services.AddSingleton<GuardedSources>();
        services.AddSingleton(static provider => new ModelPuller(
            provider.GetRequiredService<IOptions<ModelOptions>>().Value.Directory,
            provider.GetRequiredService<IOptions<PullOptions>>().Value,
            provider.GetRequiredService<GuardedSources>(),
            provider.GetRequiredService<TimeProvider>()));
        return services.AddSingleton<ModelPulls>().AddHostedService(static provider => provider.GetRequiredService<ModelPulls>());
    }
}
