using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Reporting;

/// <summary>Registers the silo's reports.</summary>
public static class ReportingExtensions
{
    /// <summary>Adds the hosted service that writes the silo's reports. Call it after Orleans was added, so that it stops before Orleans.</summary>
    public static IServiceCollection AddReporting(this IServiceCollection services)
    {
        services.AddSingleton<SiloMetrics>();
        services.AddSingleton<SiloReports>().AddSingleton<ISiloReports>(static provider => provider.GetRequiredService<SiloReports>());
        services.AddSingleton<SiloHistories>();
        return services.AddSingleton<SiloReporter>().AddHostedService(static provider => provider.GetRequiredService<SiloReporter>());
    }
}
