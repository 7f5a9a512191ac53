using System.Collections.Concurrent;
using Detection.Client;
using Detection.Embedded;
using Detection.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

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
