using Detection.Contracts.Settings;

namespace Detection.Frontend.Protocols.Legacy;

internal static class LegacyQueueExtensions
{
    /// <summary>Serves the Redis queue of the replaced system, when the settings say so.</summary>
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
