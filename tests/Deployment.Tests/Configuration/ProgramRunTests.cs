using System.ComponentModel.DataAnnotations;
using Detection.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Detection.Deployment.Tests.Configuration;

public sealed class ProgramRunTests
{
    public static TheoryData<Exception> Failures() =>
    [
        new RedisException("It is not possible to connect."),
        new TimeoutException("Timeout awaiting response"),
        new AggregateException(new RedisException("It is not possible to connect.")),
        new InvalidOperationException("broken"),
        new ValidationException("The setting is wrong."),
        new TaskCanceledException(),
    ];

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task Program_whose_start_fails_stops_gracefully(Exception failure)
    {
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(1, await ProgramRun.RunAsync(() => Create(failure)));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Program_whose_background_service_fails_ends_with_another_exit_code_than_one_that_is_stopped(bool later)
    {
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(1, await ProgramRun.RunAsync(() => Create(_ => new FailingInBackground(later))));
            Assert.Equal(0, await ProgramRun.RunAsync(() => Create(static services => new Stopping(services.GetRequiredService<IHostApplicationLifetime>()))));
        }
    }

    private static WebApplication Create(Exception failure) => Create(_ => new Failing(failure));

    private static WebApplication Create<T>(Func<IServiceProvider, T> service)
        where T : class, IHostedService
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddHostedService(service);
        return builder.Build();
    }

    private sealed class FailingInBackground(bool later) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            if (later)
            {
                await Task.Yield();
            }

            throw new InvalidOperationException("broken");
        }
    }

    private sealed class Stopping(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            lifetime.StopApplication();
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class Failing(Exception failure) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.FromException(failure);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
