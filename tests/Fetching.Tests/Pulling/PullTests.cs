using System.Text;
using Detection.Inference.Pulling;
using Microsoft.AspNetCore.Http;

namespace Detection.Fetching.Tests.Pulling;

/// <summary>Pulling a file: what arrives is the file or nothing, whatever the server does.</summary>
public sealed class PullTests : IAsyncLifetime
{
    private static readonly byte[] Graph = ModelHost.Graph;
    private static readonly string Hash = ModelHost.Sha256(Graph);

    private readonly PullFolder _folder = new();
    private ModelHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ModelHost.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Pulled_file_is_a_model_and_the_same_is_not_pulled_again()
    {
        var url = _host.Serve("/best.onnx", Graph, "1");
        var pulled = await _folder.PullAsync(url + "?secret=1", Hash);

        Assert.Equal(Graph, _folder.Read("model.onnx"));
        Assert.Equal([Path.Combine("pulled", ".pulled.json"), Path.Combine("pulled", "model.onnx")], _folder.Files);
        Assert.Equal((url, Hash), (pulled.Source, pulled.Sha256));
        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(_folder.Read(".pulled.json")), StringComparison.Ordinal);

        var requests = _host.Requests.Count;
        await _folder.PullAsync(url, Hash);
        Assert.Equal(requests, _host.Requests.Count);
    }

    [Fact]
    public async Task Process_that_ends_between_the_renames_leaves_no_mixed_model_for_good()
    {
        var other = Graph[..^1].Append((byte)(Graph[^1] ^ 1)).ToArray();
        await _folder.PullAsync(_host.Serve("/one.onnx", Graph, "1"), Hash);
        var graph = Path.Combine(_folder.Path, "pulled", "model.onnx");
        var second = _host.Serve("/two.onnx", other, "2");

        // The last rename fails, as if the process had ended before it: the marker is that of the second file, the graph the first.
        File.Delete(graph);
        Directory.CreateDirectory(graph);
        await _folder.FailAsync(second, ModelHost.Sha256(other));
        Directory.Delete(graph);
        await File.WriteAllBytesAsync(graph, Graph);

        await _folder.PullAsync(second, ModelHost.Sha256(other));
        Assert.Equal(other, _folder.Read("model.onnx"));
        Assert.Equal(2, _folder.Files.Length);
    }

    [Fact]
    public async Task Download_that_is_cut_continues_where_it_was()
    {
        var tries = 0;
        var url = _host.On("/best.onnx", http => ++tries <= 3 && http.Request.Headers.Range.Count == 0
            ? ModelHost.CutAsync(http, Graph, 100_000, "1")
            : ModelHost.FileOf(Graph, "1")(http));
        await _folder.PullAsync(url, Hash);

        Assert.Equal(Graph, _folder.Read("model.onnx"));
        var second = _host.Requests.ElementAt(1).Headers;
        Assert.StartsWith("bytes=", second.Range.ToString(), StringComparison.Ordinal);
        Assert.Equal("\"1\"", second.IfRange.ToString());
    }

    [Fact]
    public async Task File_that_changes_while_it_is_pulled_is_pulled_from_its_start()
    {
        var other = Graph[..^1].Append((byte)(Graph[^1] ^ 1)).ToArray();
        var url = _host.On("/best.onnx", http => _host.Requests.Count == 1
            ? ModelHost.CutAsync(http, other, 100_000, "1")
            : ModelHost.FileOf(Graph, "2")(http));
        await _folder.PullAsync(url, Hash);

        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Pull_that_was_cancelled_is_continued_by_the_next()
    {
        var url = _host.Serve("/best.onnx", Graph, "1");
        using var ended = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _folder.PullAsync(url, Hash, progress: at =>
        {
            if (at.Bytes > 200_000)
            {
                ended.Cancel();
            }
        }, cancellationToken: ended.Token));
        Assert.Empty(_folder.Files);
        var part = new FileInfo(Assert.Single(_folder.Parts)).Length;
        Assert.InRange(part, 200_000, Graph.Length - 1);

        await _folder.PullAsync(url, Hash);
        Assert.Equal($"bytes={part}-", _host.Requests.Last().Headers.Range.ToString());
        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Wrong_file_is_deleted_and_told_and_the_right_one_is_pulled_afterwards()
    {
        var wrong = Graph.Reverse().ToArray();
        var url = _host.Serve("/best.onnx", wrong, "1");
        var fault = await _folder.FailAsync(url, Hash);
        Assert.Contains(ModelHost.Sha256(wrong), fault.Message, StringComparison.Ordinal);
        Assert.Contains(Hash, fault.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);
        Assert.Empty(_folder.Parts);

        _host.Serve("/best.onnx", Graph, "2");
        await _folder.PullAsync(url, Hash);
        Assert.Equal(Graph, _folder.Read("model.onnx"));

        // The model that is there stays when another pull of it fails.
        _host.Serve("/best.onnx", wrong, "3");
        await _folder.FailAsync(url, ModelHost.Sha256([1]));
        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Body_without_end_is_given_up_at_the_limit()
    {
        using var folder = new PullFolder(new PullOptions { MaxBytes = 1_000_000 });
        var url = _host.On("/best.onnx", async http =>
        {
            for (var buffer = new byte[64 * 1024]; ;)
            {
                await http.Response.Body.WriteAsync(buffer, http.RequestAborted);
            }
        });
        Assert.Contains("larger than 1000000 bytes", (await folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);
        Assert.Empty(folder.Parts);

        // One that announces its size is refused before it is sent.
        Assert.Contains("larger than 1000000 bytes", (await folder.FailAsync(_host.Serve("/best.onnx", Graph), Hash)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_that_is_always_shorter_than_its_length_is_given_up()
    {
        var url = _host.On("/best.onnx", http => ModelHost.CutAsync(http, Graph, 1000, "1"));
        Assert.Contains("was cut", (await _folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);
        Assert.InRange(_host.Requests.Count, 2, 10);
        Assert.Empty(_folder.Files);

        _host.Serve("/best.onnx", Graph, "1");
        await _folder.PullAsync(url, Hash);
        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Server_that_stops_sending_is_given_up()
    {
        using var folder = new PullFolder(new PullOptions { StallTimeout = TimeSpan.FromMilliseconds(100) });
        var url = _host.On("/best.onnx", async http =>
        {
            http.Response.ContentLength = Graph.Length;
            await http.Response.Body.WriteAsync(Graph.AsMemory(0, 1000));
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
        });
        Assert.Contains("sent nothing for 0.1 s", (await folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_with_another_range_is_not_taken()
    {
        var url = _host.On("/best.onnx", http =>
        {
            if (_host.Requests.Count == 1)
            {
                return ModelHost.CutAsync(http, Graph, 1000, "1");
            }

            if (_host.Requests.Count > 2)
            {
                return ModelHost.FileOf(Graph, "1")(http);
            }

            http.Response.StatusCode = 206;
            http.Response.Headers.ContentRange = $"bytes 500-{Graph.Length - 1}/{Graph.Length}";
            return http.Response.Body.WriteAsync(Graph.AsMemory(500)).AsTask();
        });
        await _folder.PullAsync(url, Hash);
        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Token_goes_to_its_server_only()
    {
        var moved = _host.Serve("/cdn/best.onnx", Graph).Replace(_host.Url, _host.OtherUrl, StringComparison.Ordinal);
        var url = _host.On("/best.onnx", http =>
        {
            http.Response.StatusCode = http.Request.Headers.Authorization == "Bearer good" ? 302 : 401;
            http.Response.Headers.Location = moved;
            return Task.CompletedTask;
        });
        Assert.Contains("needs a token", (await _folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);
        var wrong = await _folder.FailAsync(url, Hash, token: "bad-token");
        Assert.Contains("does not give access", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("bad-token", wrong.ToString(), StringComparison.Ordinal);

        await _folder.PullAsync(url, Hash, token: "good");
        Assert.Equal(Graph, _folder.Read("model.onnx"));
        var last = _host.Requests.Last();
        Assert.Equal("/cdn/best.onnx", last.Path);
        Assert.Equal(0, last.Headers.Authorization.Count);
    }

    [Theory]
    [InlineData("file:///etc/passwd", "scheme 'file'")]
    [InlineData("/best.onnx", "more than 10 times")]
    public async Task Redirect_that_leads_astray_is_refused(string location, string reason)
    {
        var url = _host.On("/best.onnx", http =>
        {
            http.Response.Redirect(location);
            return Task.CompletedTask;
        });
        Assert.Contains(reason, (await _folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pointer_of_Git_LFS_is_told()
    {
        var pointer = Encoding.ASCII.GetBytes($"version https://git-lfs.github.com/spec/v1\noid sha256:{Hash}\nsize {Graph.Length}\n");
        Assert.Contains("Git LFS pointer", (await _folder.FailAsync(_host.Serve("/best.onnx", pointer), Hash)).Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Parts);
    }

    [Fact]
    public async Task File_that_is_not_a_graph_is_refused()
    {
        var page = "<html>Sign in</html>"u8.ToArray();
        Assert.Contains("not an ONNX model", (await _folder.FailAsync(_host.Serve("/best.onnx", page), ModelHost.Sha256(page))).Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);
    }

    [Fact]
    public async Task Weights_that_the_graph_names_come_with_it()
    {
        var graph = GraphWithWeightsIn("best.onnx_data");
        var url = _host.Serve("/models/best.onnx", graph);
        Assert.Contains("status 404", (await _folder.FailAsync(url, ModelHost.Sha256(graph))).Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);

        _host.Serve("/models/best.onnx_data", Graph);
        await _folder.PullAsync(url, ModelHost.Sha256(graph));
        Assert.Equal(graph, _folder.Read("model.onnx"));
        Assert.Equal(Graph, _folder.Read("best.onnx_data"));
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("..")]
    [InlineData("model.json")]
    [InlineData(".pulled.json")]
    public async Task Weights_with_a_name_that_leads_elsewhere_are_refused(string location)
    {
        var graph = GraphWithWeightsIn(location);
        var fault = await _folder.FailAsync(_host.Serve("/best.onnx", graph), ModelHost.Sha256(graph));
        Assert.Contains($"weights in \"{location}\"", fault.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Files);
    }

    [Fact]
    public async Task Second_pull_of_a_name_is_told_and_the_first_wins()
    {
        var arrived = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var url = _host.On("/best.onnx", async http =>
        {
            arrived.TrySetResult();
            await goOn.Task;
            await ModelHost.FileOf(Graph)(http);
        });
        var first = _folder.PullAsync(url, Hash);
        await arrived.Task;
        Assert.Contains("is being pulled", (await _folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);
        goOn.SetResult();
        await first;
        Assert.Equal(Graph, _folder.Read("model.onnx"));
        await _folder.PullAsync(url, Hash);
    }

    [Fact]
    public async Task Full_disk_is_told()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "The system has no /dev/full.");
        var url = _host.On("/best.onnx", http => http.Response.Body.WriteAsync(Graph).AsTask());
        var staging = Directory.CreateDirectory(Path.Combine(_folder.Path, ".pull", "pulled"));
        File.WriteAllText(Path.Combine(staging.FullName, "source"), $"{url}\n\n{Hash}");
        File.CreateSymbolicLink(Path.Combine(staging.FullName, "model.onnx.part"), "/dev/full");
        Assert.Contains("is full. Free space", (await _folder.FailAsync(url, Hash)).Message, StringComparison.Ordinal);

        staging.Delete(recursive: true);
        await _folder.PullAsync(url, Hash);
        Assert.Equal(Graph, _folder.Read("model.onnx"));
    }

    [Fact]
    public async Task Model_that_was_not_pulled_is_not_replaced()
    {
        var url = _host.Serve("/best.onnx", Graph);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "own"));
        File.WriteAllText(Path.Combine(_folder.Path, "own", "model.onnx"), "mine");
        File.WriteAllText(Path.Combine(_folder.Path, "bare.onnx"), "mine");
        Assert.Contains("was not pulled", (await _folder.FailAsync(url, Hash, "own")).Message, StringComparison.Ordinal);
        Assert.Contains("was not pulled", (await _folder.FailAsync(url, Hash, "bare")).Message, StringComparison.Ordinal);
        Assert.Equal("mine"u8, _folder.Read("model.onnx", "own"));
    }

    [Fact]
    public async Task Orders_that_cannot_be_done_are_refused_before_a_request()
    {
        var url = _host.Serve("/best.onnx", Graph);
        Assert.Contains("without TLS", (await _folder.FailAsync(url)).Message, StringComparison.Ordinal);
        Assert.Contains("not a SHA-256", (await _folder.FailAsync(url, "abc")).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be the name", (await _folder.FailAsync(url, Hash, "../x")).Message, StringComparison.Ordinal);
        Assert.Contains("is not a source", (await _folder.FailAsync("ftp://host/file.onnx", Hash)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", (await _folder.FailAsync("https://user:hunter2@host/file.onnx", Hash)).Message, StringComparison.Ordinal);
        Assert.Empty(_host.Requests);
    }

    /// <summary>A model whose graph has one tensor, with its values in another file. Numbers of fields are those of onnx.proto.</summary>
    private static byte[] GraphWithWeightsIn(string location)
    {
        var entry = Field(13, [.. Field(1, "location"u8.ToArray()), .. Field(2, Encoding.UTF8.GetBytes(location))]);
        return Field(7, Field(5, [.. entry, 14 << 3, 1]));

        static byte[] Field(int number, byte[] bytes) => [(byte)(number << 3 | 2), (byte)bytes.Length, .. bytes];
    }
}
