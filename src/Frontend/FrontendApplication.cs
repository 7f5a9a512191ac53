using Detection.Client;
using Detection.Contracts.Settings;
using Detection.Contracts.Storage;
using Detection.Embedded;
using Detection.Frontend.Api.Administration;
using Detection.Frontend.Api.Batches;
using Detection.Frontend.Api.Detections;
using Detection.Frontend.Api.Models;
using Detection.Frontend.Api.Status;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Browsers;
using Detection.Frontend.Http.Drawing;
using Detection.Frontend.Http.Health;
using Detection.Frontend.Http.Listening;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Site;
using Detection.Frontend.Http.Uploads;
using Detection.Frontend.Protocols.DeepStack;
using Detection.Frontend.Protocols.Legacy;
using Detection.Frontend.Protocols.OpenInference;
using Detection.Hosting;
using Detection.Hosting.Health;
using Detection.Hosting.Management;
using Detection.Hosting.Settings;
using Detection.Hosting.Telemetry;

namespace Detection.Frontend;

/// <summary>The front end: HTTP API and web page of a detection cluster. Without a Redis setting it is a whole cluster in one process.</summary>
public static class FrontendApplication
{
    /// <summary>Puts the front end together. The caller runs it and disposes of it.</summary>
    /// <param name="args">Command line, read as configuration.</param>
    public static WebApplication Create(string[] args)
    {
        // The program's folder, not the working directory: `dotnet run --project` and a published folder must find the same files.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
        });

        builder.Configuration.RequireKnownSettings();
        builder.Services.AddValidatedOptions<FrontendOptions>(FrontendOptions.Section);

        builder.AddListening();
        builder.AddManagement();
        builder.AddDetectionTelemetry("detection-frontend");
        builder.AddAccess();
        builder.Services.AddBrowsers();
        builder.Services.AddSingleton<TimeProvider>(SteadyClock.OfProcess);

        // The front end owns its log, so the log says which connection was refused, and why.
        builder.Services.Configure<DetectionClientOptions>(static options => options.ConnectionLogLevel = LogLevel.Warning);
        builder.Services.AddDetectionClient(builder.Configuration);
        builder.AddEmbeddedCluster();
        builder.Services.AddProblems();
        builder.Configuration.ApplyDecodingOptions();
        builder.Services.AddUploads();
        builder.Services.AddDrawing();
        builder.Services.AddDetections();
        builder.Services.AddBatches();
        builder.Services.AddModels();
        builder.Services.AddOpenInference();
        builder.Services.AddDeepStack();
        builder.AddLegacyQueue();
        builder.Services.AddClusterHealth();
        builder.Services.AddClusterStatus();
        builder.Services.AddAdministration();
        builder.Services.AddApiDescription();

        var app = builder.Build();
        app.UseLeadingSlashes();
        app.UseRouting();
        app.UseSafeHeaders();
        app.UseProblems();
        app.UseNotFoundPage();
        app.UseBrowsers();
        app.UseManagement();
        app.UseSite();
        app.UseContentEncodings();
        app.UseAccess();
        app.MapDetections();
        app.MapDetectionEvents();
        app.MapBatches();
        app.MapModels();
        app.MapPulls();
        app.MapOpenInference();
        app.MapDeepStack();
        app.MapLegacy();
        app.MapProblems();
        app.MapDetectionHealth();
        app.MapManagement();
        app.MapClusterStatus();
        app.MapAdministration();
        app.MapOpenApi().AllowAnonymous();
        app.MapApiReference();
        app.MapSite();
        return app;
    }
}
