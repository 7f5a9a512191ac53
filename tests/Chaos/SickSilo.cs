using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Detection.Testing;

namespace Detection.Chaos;

/// <summary>A silo whose device can be made to fail (<c>tests/SickSilo</c>), and its state in the cluster's status.</summary>
/// <param name="frontend">The front end that serves the status.</param>
/// <param name="silo">The silo.</param>
internal sealed class SickSilo(DetectionProcess frontend, DetectionProcess silo)
{
    private const string Name = "sick";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The process.</summary>
    public DetectionProcess Process => silo;

    /// <summary>Starts one in a cluster that has a front end.</summary>
    public static DetectionProcess Start(DetectionCluster cluster) => cluster.AddSilo(
        new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Detection__Silo__Name"] = Name,
            ["Detection__DeviceHealth__ProbeInterval"] = "00:00:01",
            ["Detection__DeviceHealth__RetryDelay"] = "00:00:01",
            ["Detection__DeviceHealth__MaxRetryDelay"] = "00:00:02",
        },
        "tests/SickSilo");

    /// <summary>Makes the device fail, or work again.</summary>
    /// <param name="kind">A name of <c>Sickness</c> in <c>tests/SickSilo</c>.</param>
    public async Task MakeAsync(string kind)
    {
        using var answer = await silo.Http.PostAsync(new Uri($"/sickness/{kind}", UriKind.Relative), null);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Waits until status and metrics show that the device is out of service, and prints how long it took.</summary>
    public async Task OutOfServiceAsync()
    {
        var clock = Stopwatch.StartNew();
        await Eventually.Async(async limit => await BatcherAsync(limit) is { Health: not ("serving" or "suspect") }, Limit, "the status says that the device is out of service");
        var status = clock.Elapsed;
        await Eventually.Async(IsOutByMetricsAsync, Limit, "the metrics say that the device is out of service");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"      out of service after {status.TotalSeconds:F1} s as the status says, {clock.Elapsed.TotalSeconds:F1} s as the metrics say"));
    }

    /// <summary>Waits until the device has completed pictures in a batcher that started after its failure.</summary>
    public async Task ServesAgainAsync()
    {
        var clock = Stopwatch.StartNew();
        await Eventually.Async(async limit => await BatcherAsync(limit) is { Health: "serving", Completed: > 0 }, Limit, "the device serves again");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"      serves again after {clock.Elapsed.TotalSeconds:F1} s"));
    }

    private async Task<Batcher?> BatcherAsync(CancellationToken cancellationToken)
    {
        var status = await frontend.Http.GetFromJsonAsync<Status>(new Uri("/v1/status", UriKind.Relative), JsonSerializerOptions.Web, cancellationToken);
        return status!.Silos.SingleOrDefault(static one => one.Name == Name)?.Devices.Single().Batchers.SingleOrDefault();
    }

    private async Task<bool> IsOutByMetricsAsync(CancellationToken cancellationToken)
    {
        var metrics = await silo.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken);
        return metrics.Split('\n').Any(static line =>
            line.StartsWith("detection_device_health{", StringComparison.Ordinal)
            && !line.Contains("\"serving\"", StringComparison.Ordinal)
            && !line.Contains("\"suspect\"", StringComparison.Ordinal)
            && line.Split("} ")[^1].StartsWith('1'));
    }

    private sealed record Status(IReadOnlyList<Silo> Silos);

    private sealed record Silo(string Name, IReadOnlyList<Device> Devices);

    private sealed record Device(IReadOnlyList<Batcher> Batchers);

    private sealed record Batcher(string Health, long Completed);
}
