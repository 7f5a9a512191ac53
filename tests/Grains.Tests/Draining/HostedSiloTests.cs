using System.Collections.Concurrent;
using Detection.Client;
using Detection.Embedded;
using Detection.Hosting;
using Detection.Inference.Devices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Tests.Draining;

/// <summary>An application that hosts a silo and the embedded server, without the front end.</summary>
public sealed class HostedSiloTests
{
    [Fact]
    public async Task Stopping_application_completes_its_accepted_requests()
    {
        var events = new ConcurrentQueue<string?>();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = Repository.Root });
        builder.Configuration["Detection:CpuWorkers"] = "1";
        builder.Configuration["Detection:Silo:Port"] = "0";
        builder.Configuration["Detection:Silo:GatewayPort"] = "0";
        builder.Services.AddSingleton<ILoggerProvider>(new EventNames(events));
        builder.AddEmbeddedRedis();
        builder.AddDetectionSilo();
        builder.Services.AddDetectionClient(builder.Configuration).UseHostedSilo();
        using var host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<IDetectionClient>();
        await client.DetectAsync(TestPictures.Unique(0), new DetectionOptions { Deadline = DetectionOptions.MaxDeadline });

        await Task.WhenAll(Enumerable.Range(1, 100).Select(i => client.SubmitAsync(TestPictures.Unique(i))));
        await host.StopAsync();

        Assert.Contains("Draining", events);
        Assert.DoesNotContain("Dropped", events);
    }

    [Fact]
    public void Messages_of_Orleans_are_logged_from_Warning_on_unless_the_application_sets_a_level()
    {
        using var plain = Hosted([]);
        Assert.False(IsLogged(plain, "Orleans.Runtime.Silo", LogLevel.Information));
        Assert.True(IsLogged(plain, "Orleans.Runtime.Silo", LogLevel.Warning));
        Assert.False(IsLogged(plain, "Orleans.Runtime.Watchdog", LogLevel.Warning));
        Assert.False(IsLogged(plain, "Polly", LogLevel.Error));
        Assert.True(IsLogged(plain, "Detection.Hosting", LogLevel.Information));

        using var verbose = Hosted(new() { ["Logging:LogLevel:Default"] = "Warning", ["Logging:LogLevel:Orleans"] = "Information" });
        Assert.True(IsLogged(verbose, "Orleans.Runtime.Silo", LogLevel.Information));
        Assert.False(IsLogged(verbose, "Detection.Hosting", LogLevel.Information));
    }

    [Theory]
    [InlineData("Detection:Queue:Capcity", "'Detection:Queue:Capacity'")]
    [InlineData("Detection:Client:Deadlin", "'Detection:Client:Deadline'")]
    public void Setting_that_does_not_exist_is_refused(string setting, string meant)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Hosted(new() { [setting] = "5" }));
        Assert.Contains($"'{setting}' does not exist", refused.Message, StringComparison.Ordinal);
        Assert.Contains(meant, refused.Message, StringComparison.Ordinal);
        using var right = Hosted(new() { [meant.Trim('\'')] = "5" });
    }

    [Fact]
    public async Task Client_alone_refuses_a_setting_that_does_not_exist_when_the_host_starts()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["ConnectionStrings:redis"] = "127.0.0.1:1";
        builder.Configuration["Detection:Client:Deadlin"] = "4s";
        builder.Services.AddDetectionClient(builder.Configuration);
        using var host = builder.Build();
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal("The setting 'Detection:Client:Deadlin' does not exist. Did you mean 'Deadline'?", refused.Message);
    }

    private static IHost Hosted(Dictionary<string, string?> settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Configuration["ConnectionStrings:redis"] = "127.0.0.1:1";
        builder.Configuration["Detection:Silo:Port"] = "0";
        builder.Configuration["Detection:Silo:GatewayPort"] = "0";
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Services.AddSingleton<ILoggerProvider>(new EventNames([]));
        builder.AddDetectionSilo(new DeviceSet([], []));
        return builder.Build();
    }

    private static bool IsLogged(IHost host, string category, LogLevel level) => host.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(level);

    private sealed class EventNames(ConcurrentQueue<string?> names) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            names.Enqueue(eventId.Name);

        public void Dispose()
        {
        }
    }
}
