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

    private static WebApplication Create(Exception failure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddHostedService(_ => new Failing(failure));
        return builder.Build();
    }

    private sealed class Failing(Exception failure) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.FromException(failure);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
