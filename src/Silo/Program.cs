using Detection.Hosting;
using Detection.Hosting.Health;
using Detection.Hosting.Management;
using Detection.Hosting.Settings;
using Detection.Hosting.Telemetry;

var description = new ProgramDescription(
    "Detection.Silo", 'S', "A silo of the detection cluster: runs models on the devices of this machine.");
return await ProgramRun.RunAsync(description, args, () =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    builder.AddDetectionSilo();
    builder.UseHealthAddress();
    builder.AddManagement();
    builder.AddDetectionTelemetry("detection-silo");
    var app = builder.Build();
    app.UseManagement();
    app.MapDetectionHealth();
    app.MapManagement();
    return app;
});
