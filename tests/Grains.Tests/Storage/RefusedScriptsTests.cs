using System.Globalization;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Grains.Tests.Batching;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Grains.Tests.Storage;

/// <summary>
/// A Redis that is there and refuses: it loads its data (misp-dashboard #74, wp1 #836), is a replica by now (bullmq #1928, sidekiq #4495:
/// the end of a job that was refused lay in a private list until the next start), or has given the slot away.
/// </summary>
public sealed class RefusedScriptsTests : IAsyncLifetime
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    private readonly GatedDevice _device = new("gated:0");
    private RedisServer _redis = null!;
    private RedisProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        RedisServer.SkipUnlessInstalled();
        _device.Open();
        _redis = await RedisServer.StartAsync();
        _proxy = new RedisProxy(_redis);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData("LOADING Redis is loading the dataset in memory")]
    [InlineData("READONLY You can't write against a read only replica.")]
    [InlineData("MOVED 866 {0}")]
    public async Task Refused_scripts_are_retried_and_no_picture_is_lost(string error)
    {
        error = string.Format(CultureInfo.InvariantCulture, error, _proxy.ConnectionString);
        await using var services = new ServiceCollection().AddDetectionClient(options => options.Redis = _redis.ConnectionString).BuildServiceProvider();
        var client = services.GetRequiredService<IDetectionClient>();
        await using var silo = await TestSilo.StartAsync(_redis, _device, ("ConnectionStrings:redis", _proxy.ConnectionString));
        var next = 0;
        await client.DetectAsync(TestPictures.Unique(next++), Patient);

        // Each script is identified by a key that no other script uses with it: claim, settle, lease, enqueue.
        foreach (var key in new[] { ":attempts", ":answers:", ":lease:", ":poison:" })
        {
            var refused = 0;
            _proxy.Refuse(request => request.Contains("EVAL", StringComparison.Ordinal) && request.Contains(key, StringComparison.Ordinal)
                && Interlocked.Increment(ref refused) <= 3 ? error : null);
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => DetectAsync(client, TestPictures.Unique(next++))));
            Assert.All(answers, answer => Assert.Single(answer.Objects));
            await Eventually.Async(() => Volatile.Read(ref refused) > 3, Eventually.Soon, $"scripts with {key} were refused");
        }

        _proxy.Refuse(null);
        await client.DetectAsync(TestPictures.Unique(next), Patient);
        await using var redis = await _redis.ConnectAsync();
        Assert.Empty(redis.GetServers()[0].Keys(pattern: "detection:*:item:*"));
    }

    [Fact]
    public async Task Silo_start_waits_while_Redis_loads_its_data()
    {
        var refused = 0;
        _proxy.Refuse(request => request.Contains("TIME\r\n", StringComparison.Ordinal) && Interlocked.Increment(ref refused) <= 4
            ? "LOADING Redis is loading the dataset in memory" : null);
        await using var services = new ServiceCollection().AddDetectionClient(options => options.Redis = _redis.ConnectionString).BuildServiceProvider();
        await using var silo = await TestSilo.StartAsync(_redis, _device, ("ConnectionStrings:redis", _proxy.ConnectionString));
        Assert.True(refused > 4, $"{refused} refusals");
        Assert.Single((await services.GetRequiredService<IDetectionClient>().DetectAsync(TestPictures.Unique(1), Patient)).Objects);
    }

    /// <summary>A request whose enqueueing is refused fails at once; a retry is accepted.</summary>
    private static async Task<DetectionAnswer> DetectAsync(IDetectionClient client, byte[] picture)
    {
        while (true)
        {
            try
            {
                return await client.DetectAsync(picture, Patient);
            }
            catch (DetectionException e) when (e.Reason == FailureReason.Unavailable)
            {
                await Task.Delay(20);
            }
        }
    }
}
