using Detection.Hosting;
using Detection.Hosting.Health;
using Detection.Hosting.Management;
using Detection.Hosting.Telemetry;

return await ProgramRun.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    builder.AddDetectionSilo();
    builder.UseHealthAddress();
    builder.AddManagement();
    builder.AddDetectionTelemetry("detection-silo");
    var app = builder.Build();
    app.UseManagement();
    app.MapSiloHealth();
    app.MapManagement();
    return app;
});
