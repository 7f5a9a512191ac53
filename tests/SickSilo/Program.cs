using Detection.Hosting;
using Detection.Hosting.Telemetry;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Discovery;
using Detection.SickSilo;

return await ProgramRun.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    var options = builder.Configuration.GetSection(DeviceOptions.Section).Get<DeviceOptions>() ?? new DeviceOptions();
    var loggers = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole());
    var found = new DeviceDiscovery(options, TimeProvider.System, loggers).Open();
    var course = new Course(builder.Configuration.GetValue<bool>("Sickness:NowAndThen"));
    builder.Configuration.ApplyDecodingOptions();
    builder.AddDetectionSilo(new DeviceSet([.. found.Devices.Select(device => new SickDevice(device, course))], found.Problems));
    builder.AddDetectionTelemetry("detection-sick-silo");
    var app = builder.Build();
    app.MapHealthChecks("/health/ready");
    app.MapDetectionMetrics();
    app.MapPost("/sickness/{kind}", (Sickness kind) => course.Make(kind));
    return app;
});
