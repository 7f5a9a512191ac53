using Detection.Contracts.Settings;

namespace Detection.Frontend.Protocols.Legacy;

internal static class LegacyQueueExtensions
{
    /// <summary>Serves the Redis list of the replaced system, when <see cref="LegacyQueueOptions.Switch"/> is true.</summary>
    public static void AddLegacyQueue(this WebApplicationBuilder builder)
    {
        if (!builder.Configuration.ReadSwitch(LegacyQueueOptions.Switch))
        {
            return;
        }

        builder.Services.AddValidatedOptions<LegacyQueueOptions>(LegacyQueueOptions.Section);
        builder.Services.AddSingleton<LegacyPictures>();
        builder.Services.AddSingleton<LegacyAnswerer>();
        builder.Services.AddHostedService<LegacyQueueService>();
    }
}
