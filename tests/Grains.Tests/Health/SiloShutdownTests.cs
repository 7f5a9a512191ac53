using Detection.Grains.Health;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Tests.Health;

/// <summary>A silo that stops by itself stops within the time limit of its reason.</summary>
public sealed class SiloShutdownTests
{
    [Fact]
    public async Task Hanging_stop_ends_after_its_time_limit()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<SiloShutdown>();
        builder.Services.AddSingleton<IHostedService, Hanging>();
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        host.Services.GetRequiredService<SiloShutdown>().Request("it is cut off", TimeSpan.FromMilliseconds(200));

        // Otherwise it would wait for half a minute, longer than this test may take.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.StopAsync(TestContext.Current.CancellationToken)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(host.Services.GetRequiredService<SiloShutdown>().IsRequested);
    }

    [Fact]
    public void Shorter_shutdown_timeout_is_kept()
    {
        var options = Options.Create(new HostOptions { ShutdownTimeout = TimeSpan.FromSeconds(5) });
        using var host = Host.CreateEmptyApplicationBuilder(null).Build();
        var end = new SiloShutdown(host.Services.GetRequiredService<IHostApplicationLifetime>(), options, NullLogger<SiloShutdown>.Instance);

        end.Request("it is cut off", TimeSpan.FromSeconds(10));

        Assert.Equal(TimeSpan.FromSeconds(5), options.Value.ShutdownTimeout);
    }

    private sealed class Hanging : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
    }
}
