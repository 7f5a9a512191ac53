using Detection.Grains.Tests.Batching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Detection.Grains.Tests.Wire;

/// <summary>Hosted services start in the order in which they are registered, and stop in the opposite one.</summary>
public sealed class HostedServicesTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Silo_starts_its_services_in_this_order(bool hasPictureMemory)
    {
        await using var redis = await RedisServer.StartAsync();
        using var silo = TestSilo.Build(
            redis.ConnectionString, [], hasPictureMemory ? [("ConnectionStrings:pictures", redis.ConnectionString)] : []);

        // CutOffWatch is not where the pictures are in the process's own memory: nothing lies between it and its Redis.
        string[] expected =
        [
            "RedisWait",
            "MarkKeeper",
            "MarkKeeper",
            "EvictionCheck",
            "SiloHostedService",
            "ClusterView",
            "AbandonedQueues",
            "MembershipGuard",
            "SiloReporter",
            "CutOffWatch",
            "InferenceService",
            "ModelPulls",
            "WebhookDeliverer",
            "HealthCheckPublisherHostedService",
        ];
        var services = silo.Services.GetServices<IHostedService>().Select(static service => service.GetType().Name);
        Assert.Equal(
            string.Join('\n', hasPictureMemory ? expected.Where(static name => name != "CutOffWatch") : expected), string.Join('\n', services));
    }
}
