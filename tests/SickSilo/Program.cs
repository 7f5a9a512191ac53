using Detection.Inference.Devices;
using Detection.SickSilo;
using Detection.Silo;

return await ProgramRun.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    var options = builder.Configuration.GetSection(DeviceOptions.Section).Get<DeviceOptions>() ?? new DeviceOptions();
    var loggers = LoggerFactory.Create(logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole());
    var found = new DeviceDiscovery(options, TimeProvider.System, loggers).Open();
    builder.Configuration.ApplyDecodingOptions();
    builder.AddDetectionSilo(new DeviceSet([.. found.Devices.Select(static device => new SickDevice(device))], found.Problems));
    var app = builder.Build();
    app.MapHealthChecks("/health/ready");
    return app;
});
