using Detection.Client;
using Detection.Contracts.Storage;
using Detection.Frontend.Access;
using Detection.Frontend.Asynchronous;
using Detection.Frontend.Batches;
using Detection.Frontend.Browsers;
using Detection.Frontend.DeepStack;
using Detection.Frontend.Detections;
using Detection.Frontend.Embedded;
using Detection.Frontend.Health;
using Detection.Frontend.Legacy;
using Detection.Frontend.Listening;
using Detection.Frontend.Models;
using Detection.Frontend.OpenApi;
using Detection.Frontend.OpenInference;
using Detection.Frontend.Problems;
using Detection.Frontend.Site;
using Detection.Frontend.Status;
using Detection.Frontend.Uploads;
using Detection.Silo;
using Detection.Silo.Management;
using Detection.Silo.Telemetry;

namespace Detection.Frontend;

/// <summary>The front end: HTTP API and web page before a detection cluster, or, with no Redis configured, a whole cluster in one process.</summary>
public static class FrontendApplication
{
    /// <summary>Puts the front end together. The caller runs it and disposes of it.</summary>
    /// <param name="args">Command line, read as configuration.</param>
    public static WebApplication Create(string[] args)
    {
        // Not the working directory: `dotnet run --project` and a published folder must find the same files.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
        });

        builder.Services.AddOptions<FrontendOptions>()
            .BindConfiguration(FrontendOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();

        builder.AddListening();
        builder.AddManagement();
        builder.AddDetectionTelemetry("detection-frontend");
        builder.AddAccess();
        builder.Services.AddBrowsers();
        builder.Services.AddSingleton<TimeProvider>(SteadyClock.OfProcess);
        builder.Services.AddDetectionClient(builder.Configuration);
        builder.AddEmbeddedCluster();
        builder.Services.AddProblems();
        builder.Configuration.ApplyDecodingOptions();
        builder.Services.AddDetections();
        builder.Services.AddBatches();
        builder.AddLegacyQueue();
        builder.Services.AddClusterHealth();
        builder.Services.AddClusterStatus();
        builder.Services.AddApiDescription();

        var app = builder.Build();
        app.UseSafeHeaders();
        app.UseProblems();
        app.UseBrowsers();
        app.UseManagement();
        app.UseSite();
        app.UseAccess();
        app.UseContentEncodingFilter();
        app.MapDetections();
        app.MapDetectionEvents();
        app.MapBatches();
        app.MapModels();
        app.MapOpenInference();
        app.MapDeepStack();
        app.MapLegacy();
        app.MapProblems();
        app.MapClusterHealth();
        app.MapManagement();
        app.MapClusterStatus();
        app.MapOpenApi().AllowAnonymous();
        app.MapSite();
        return app;
    }
}
