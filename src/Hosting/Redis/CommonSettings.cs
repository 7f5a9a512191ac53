using Detection.Contracts.Pictures;
using Detection.Contracts.Security;
using Detection.Contracts.Storage;

namespace Detection.Hosting.Redis;

/// <summary>Registers the settings that silos compare before they join each other.</summary>
internal static class CommonSettings
{
    /// <summary>Adds them. Call it before Orleans is added, which starts after them.</summary>
    public static void AddCommonSettings(this IServiceCollection services)
    {
        services.AddMark(ConnectionsOf);
        services.AddMark(PicturesOf);
    }

    /// <summary>
    /// The other silos would refuse this silo's connections. It would stay in the membership table until it is voted out, and several such silos
    /// could vote out others.
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

    /// <summary>Its batchers would consider each picture of the other silos wrong, as if Redis had returned another picture.</summary>
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

    // Not AddHostedService, which adds each type only once.
    private static void AddMark(this IServiceCollection services, Func<IServiceProvider, CommonSetting> setting) =>
        services.AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<MarkKeeper>(provider, setting(provider)));
}
