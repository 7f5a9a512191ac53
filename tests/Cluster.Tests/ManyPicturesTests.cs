using System.Diagnostics.Metrics;
using Detection.Client;
using Detection.Objects;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Detection.Cluster.Tests;

/// <summary>Many pictures in one loop, and named clients.</summary>
public sealed class ManyPicturesTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    [Fact]
    public async Task DetectManyAsync_keeps_the_order_and_the_parallelism_and_a_failure_stays_alone()
    {
        await using var client = new TestClient(fixture.Cluster.Redis);
        var (underWay, most) = (0, 0);
        var numbers = Enumerable.Range(880_000, 20).ToList();

        List<DetectionOutcome<int>> outcomes = [];
        await foreach (var outcome in client.Detection.DetectManyAsync(numbers.ToAsyncEnumerable(), ReadAsync, Patient, parallelism: 3))
        {
            Interlocked.Decrement(ref underWay);
            outcomes.Add(outcome);
        }

        Assert.Equal(numbers, outcomes.Select(static outcome => outcome.Item));
        Assert.InRange(most, 2, 3);
        Assert.All(outcomes, static outcome => Assert.Equal(outcome.Item % 7 == 0 ? FailureReason.NotAPicture : null, outcome.Failure?.Reason));
        Assert.All(outcomes, static outcome => Assert.Equal(outcome.Failure is null, outcome.Answer is not null));

        Task<ReadOnlyMemory<byte>> ReadAsync(int number, CancellationToken cancellationToken)
        {
            most = Math.Max(most, Interlocked.Increment(ref underWay));
            return Task.FromResult<ReadOnlyMemory<byte>>(number % 7 == 0 ? "no picture"u8.ToArray() : TestPictures.Unique(number));
        }
    }

    [Fact]
    public async Task Leaving_the_loop_cancels_the_open_requests_and_the_next_loop_works()
    {
        await using var client = new TestClient(fixture.Cluster.Redis);
        var cancelled = 0;
        await foreach (var outcome in client.Detection.DetectManyAsync(Enumerable.Range(0, 10).ToAsyncEnumerable(), ReadAsync, Patient, parallelism: 4))
        {
            Assert.Equal(0, outcome.Item);
            break;
        }

        Assert.Equal(3, cancelled);
        await foreach (var outcome in client.Detection.DetectManyAsync(
            Enumerable.Range(881_000, 3).ToAsyncEnumerable(), (number, _) => Task.FromResult<ReadOnlyMemory<byte>>(TestPictures.Unique(number)), Patient))
        {
            Assert.NotNull(outcome.Answer);
        }

        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.Detection.DetectManyAsync(Enumerable.Range(0, 3).ToAsyncEnumerable(), ReadAsync, Patient, cancellationToken: stop.Token))
            {
            }
        });

        // The first picture is read; the others never are.
        async Task<ReadOnlyMemory<byte>> ReadAsync(int number, CancellationToken cancellationToken)
        {
            try
            {
                await Task.Delay(number == 0 ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, cancellationToken);
                return TestPictures.Unique(882_000);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref cancelled);
                throw;
            }
        }
    }

    [Fact]
    public async Task Named_clients_use_their_own_clusters_and_end_with_the_container()
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Day:ConnectionStrings:redis"] = fixture.Cluster.Redis.ConnectionString,
            ["Night:ConnectionStrings:redis"] = fixture.Cluster.Redis.ConnectionString,
            ["Night:Detection:ClusterId"] = "nobody",
        }).Build();
        IDetectionClient day;
        using (var services = new ServiceCollection()
            .AddDetectionClient("day", settings.GetSection("Day"))
            .AddDetectionClient("night", settings.GetSection("Night"))
            .AddDetectionClient("code", options => options.Redis = fixture.Cluster.Redis.ConnectionString)
            .BuildServiceProvider())
        {
            day = services.GetRequiredKeyedService<IDetectionClient>("day");
            Assert.Same(day, services.GetRequiredKeyedService<IDetectionClient>("day"));
            Assert.Null(services.GetService<IDetectionClient>());
            await day.DetectAsync(TestPictures.Unique(883_000), Patient);
            await services.GetRequiredKeyedService<IDetectionClient>("code").DetectAsync(TestPictures.Unique(883_001), Patient);
            Assert.Single(await services.GetRequiredKeyedService<IClusterReports>("day").GetSilosAsync());
            Assert.Empty(await services.GetRequiredKeyedService<IClusterReports>("night").GetSilosAsync());
            var error = await Assert.ThrowsAsync<DetectionException>(() => services.GetRequiredKeyedService<IDetectionClient>("night")
                .DetectAsync(TestPictures.Unique(883_000), new DetectionOptions { Deadline = TimeSpan.FromSeconds(1) }));
            Assert.Equal(FailureReason.DeadlineExceeded, error.Reason);
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => day.DetectAsync(TestPictures.Unique(883_002), Patient));
    }

    [Fact]
    public async Task Meter_has_the_documented_name()
    {
        var outcomes = new List<object?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == DetectionClientTelemetry.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            if (instrument.Name == "detection.client.request.duration")
            {
                lock (outcomes)
                {
                    outcomes.Add(tags.ToArray().Single(static tag => tag.Key == "outcome").Value);
                }
            }
        });
        listener.Start();
        await using var client = new TestClient(fixture.Cluster.Redis);

        await client.Detection.DetectAsync(TestPictures.Unique(884_000), Patient);

        Assert.Contains("computed", outcomes);
    }
}
