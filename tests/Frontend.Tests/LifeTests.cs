using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests;

public sealed class LifeTests(OneProcess frontend)
{
    [Fact]
    public async Task Server_is_live_and_ready()
    {
        Assert.Equal("healthy", (await frontend.Http.ReadAsync("/health/live").AnswerAsync()).GetProperty("status").GetString());
        Assert.Equal("healthy", (await frontend.Http.ReadAsync("/health/ready").AnswerAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Front_end_without_redis_is_live_and_not_ready_and_fails_fast()
    {
        await using var alone = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
        });
        await Eventually.Async(
            async limit => (await alone.Http.GetAsync(new Uri("/health/live", UriKind.Relative), limit)).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "it is live");

        var clock = Stopwatch.StartNew();
        using var ready = await alone.Http.ReadAsync("/health/ready");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(503, (int)ready.StatusCode);
        var health = await ready.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("unhealthy", health.GetProperty("status").GetString());
        Assert.Contains("Redis", Assert.Single(health.GetProperty("reasons").EnumerateArray()).GetString(), StringComparison.Ordinal);

        using var refused = await alone.Http.PostAsync(Asking.Bytes(TestPictures.Unique(741), "image/jpeg"), "?timeout=20");
        Assert.Equal(503, (int)refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal("/problems/unavailable", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString());
    }

    [Fact]
    public async Task One_process_lists_the_problem_of_a_model_once()
    {
        using var models = new ModelFolder();
        models.Lay("nanodet-g");
        await File.WriteAllTextAsync(Path.Combine(models.Path, "broken.onnx"), "no graph");
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__Models__Directory"] = models.Path,
        });
        await process.ReadyAsync();

        var ready = await process.Http.ReadAsync("/health/ready").AnswerAsync();
        Assert.Equal("degraded", ready.GetProperty("status").GetString());
        Assert.Contains("broken", Assert.Single(ready.GetProperty("reasons").EnumerateArray()).GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Front_end_without_settings_stops_within_seconds()
    {
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?> { [DetectionSettings.Redis] = null });
        await process.ReadyAsync();
        await process.Http.PostAsync(Asking.Form(TestPictures.Unique(751))).AnswerAsync();

        var code = await process.StopAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(0, code);
        Assert.DoesNotContain("Unhandled exception", process.Process.Log, StringComparison.Ordinal);

        // Once: the client's inner host neither logs it nor handles the signals.
        Assert.Equal(2, process.Process.Log.Split("Application started").Length);
    }

    [Fact]
    public async Task Client_that_leaves_while_a_problem_is_written_logs_no_error()
    {
        // Much more than allowed, so that it is refused at once; the answer then sometimes finds a closed connection.
        var head = Encoding.ASCII.GetBytes("POST /v1/detections HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 30000000\r\n\r\n");
        for (var attempt = 0; attempt < 200; attempt++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(frontend.Process.Url.Host, frontend.Process.Url.Port);
            await socket.SendAsync(head);
            socket.LingerState = new LingerOption(true, 0);
        }

        // When this request is answered, the ones before it have been read.
        await frontend.Http.ReadAsync("/nothing/here").ProblemAsync(404, "not-found");
        Assert.DoesNotContain("attempting to execute the error handler", frontend.Process.Process.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Detection__Frontend__UploadTimeout", "00:00:00")]
    [InlineData("Detection__Frontend__MaxHeaderBytes", "1")]
    public async Task Setting_out_of_range_stops_the_start(string name, string value)
    {
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            [name] = value,
        });

        await process.Process.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.NotEqual(0, process.Process.ExitCode);
        Assert.Contains(name[(name.LastIndexOf('_') + 1)..], process.Process.Log, StringComparison.Ordinal);
    }
}
