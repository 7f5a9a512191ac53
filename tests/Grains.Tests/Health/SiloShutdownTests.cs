using Detection.Grains.Health;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Tests.Health;

/// <summary>A silo that ends by itself stops within the time that its reason allows.</summary>
public sealed class SiloShutdownTests
{
    [Fact]
    public async Task A_stop_that_hangs_is_over_after_the_time_allowed()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<SiloShutdown>();
        builder.Services.AddSingleton<IHostedService, Hanging>();
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        host.Services.GetRequiredService<SiloShutdown>().Request("it is cut off", TimeSpan.FromMilliseconds(200));

        // It would wait for half a minute, longer than this test may take.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.StopAsync(TestContext.Current.CancellationToken)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(host.Services.GetRequiredService<SiloShutdown>().IsRequested);
    }

    [Fact]
    public void A_shorter_time_for_every_stop_stays()
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
