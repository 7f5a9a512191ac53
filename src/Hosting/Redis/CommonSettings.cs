using Detection.Contracts.Pictures;
using Detection.Contracts.Security;
using Detection.Contracts.Storage;

namespace Detection.Hosting.Redis;

/// <summary>Registers the settings that silos compare before they join each other.</summary>
internal static class CommonSettings
{
    /// <summary>Adds them. To be called before Orleans is added, which starts after it.</summary>
    public static void AddCommonSettings(this IServiceCollection services)
    {
        services.AddMark(ConnectionsOf);
        services.AddMark(PicturesOf);
    }

    /// <summary>
    /// Others would refuse this silo's connections: it would stand in the membership table until it is voted out, and several of them could vote
    /// out others.
    /// </summary>
    private static CommonSetting ConnectionsOf(IServiceProvider services)
    {
        var keys = services.GetRequiredService<RedisKeys>();
        var security = services.GetRequiredService<ClusterSecurity>();
        return new CommonSetting(
            ClusterSecurityOptions.Section,
            "secret or another authority",
            "it and this one refuse each other",
            typeof(ClusterSecurityOptions),
            keys.Security,
            () => security.MarkOf(keys.ClusterId));
    }

    /// <summary>Its batchers would take each picture of the others for one that Redis gave in place of another.</summary>
    private static CommonSetting PicturesOf(IServiceProvider services)
    {
        var keys = services.GetRequiredService<RedisKeys>();
        var mark = services.GetRequiredService<ImageKeys>().MarkOf(keys.ClusterId);
        return new CommonSetting(
            ImageKeyOptions.SecretSetting,
            "secret of image keys",
            "pictures that the one names fail on the other",
            typeof(ImageKeyOptions),
            keys.ImageKeys,
            () => new ClusterMark(mark, [mark]));
    }

    // Not AddHostedService, which adds a type once.
    private static void AddMark(this IServiceCollection services, Func<IServiceProvider, CommonSetting> setting) =>
        services.AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<MarkKeeper>(provider, setting(provider)));
}
