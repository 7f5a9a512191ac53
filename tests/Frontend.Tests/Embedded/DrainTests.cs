using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>A stopping process in one-process mode completes its accepted requests within the drain time, and logs what it drops.</summary>
public sealed partial class DrainTests
{
    private const string DrainTimeout = "Detection__Batching__DrainTimeout";
    private const int Pictures = 30;

    [Fact]
    public async Task Stopping_process_delivers_all_accepted_webhooks()
    {
        await using var receiver = new WebhookReceiver();
        await using var process = await StartAsync(receiver, "00:00:28");
        var expected = await Task.WhenAll(Enumerable.Range(0, Pictures).Select(i => BoxesAsync(process, i)));

        // Other bytes of the same photos, so that none has a cached result.
        var urls = await Task.WhenAll(Enumerable.Range(0, Pictures).Select(i => AcceptAsync(process, receiver, TestPictures.Unique(i + TestPictures.PhotoCount), $"{i}")));
        Assert.Equal(0, await process.StopAsync(TimeSpan.FromSeconds(60)));

        for (var i = 0; i < Pictures; i++)
        {
            var webhook = Assert.Single(receiver.At(urls[i]));
            Assert.Equal(expected[i], JsonDocument.Parse(webhook.Body).RootElement.GetProperty("boxes").GetRawText());
        }

        Assert.DoesNotContain("dropped", process.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_process_logs_how_many_requests_and_webhooks_it_drops()
    {
        await using var receiver = new WebhookReceiver();
        await using var process = await StartAsync(receiver, "00:00:01");

        // Each picture is decoded at its full 48 megapixels: far more work than the drain time allows.
        var picture = BlankPictures.Png(8000, 6000, 2);
        await Task.WhenAll(Enumerable.Range(0, Pictures).Select(i =>
            AcceptAsync(process, receiver, [.. picture, .. BitConverter.GetBytes(i)], $"{i}", Enumerable.Repeat(500, 10))));
        Assert.Equal(0, await process.StopAsync(TimeSpan.FromSeconds(60)));

        var dropped = DroppedLine().Match(process.Process.Log);
        Assert.True(dropped.Success, process.Process.LogTail());
        Assert.InRange(int.Parse(dropped.Groups["requests"].Value, CultureInfo.InvariantCulture), 1, Pictures);

        // No receiver has accepted one.
        Assert.Equal($"{Pictures}", dropped.Groups["webhooks"].Value);
    }

    private static async Task<DetectionProcess> StartAsync(WebhookReceiver receiver, string drainTimeout)
    {
        var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            [DrainTimeout] = drainTimeout,
            ["Detection__CpuWorkers"] = "1",
            ["Detection__Webhooks__Secret"] = OneProcess.WebhookSecret,
            ["Detection__Webhooks__FirstPause"] = "01:00:00",
            ["Detection__Webhooks__LongestPause"] = "01:00:00",
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = receiver.Port.ToString(CultureInfo.InvariantCulture),
        });
        await process.ReadyAsync();
        return process;
    }

    private static async Task<string> BoxesAsync(DetectionProcess process, int photo) =>
        (await process.Http.PostAsync(Asking.Bytes(TestPictures.Unique(photo), "image/jpeg"), "?timeout=60").AnswerAsync()).GetProperty("boxes").GetRawText();

    private static async Task<Uri> AcceptAsync(DetectionProcess process, WebhookReceiver receiver, byte[] picture, string name, IEnumerable<int>? answers = null)
    {
        var url = receiver.Url(name, answers ?? []);
        using var accepted = await process.Http.PostAsync(Asking.Bytes(picture, "image/jpeg"), $"?async=true&webhook={Uri.EscapeDataString(url.ToString())}");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        return url;
    }

    [GeneratedRegex("Stopped: (?<requests>[0-9]+) accepted requests and (?<webhooks>[0-9]+) webhooks are dropped")]
    private static partial Regex DroppedLine();
}
