using System.Security.Cryptography;

namespace Detection.Tool.Tests;

/// <summary><c>detection pull</c>.</summary>
public sealed class PullTests
{
    private static readonly byte[] Graph = File.ReadAllBytes(Path.Combine(Repository.Root, "models", "nanodet-g", "model.onnx"));

    [Fact]
    public async Task Pull_gets_a_model_and_says_what_it_needs()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Graph));
        await using var server = new LoopbackServer(async http =>
        {
            await http.Response.OutputStream.WriteAsync(Graph);
            http.Response.Close();
        });
        using var folder = new TemporaryFolder();
        var url = new Uri(server.Url, "my-net.onnx?secret=1").ToString();

        var wrong = (await DetectionTool.RunAsync("pull", url, "--sha256", new string('0', 64), "--models", folder.Path)).Expect(1);
        Assert.Contains(hash, wrong.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", wrong.Output + wrong.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.Of("my-net")));

        var run = (await DetectionTool.RunAsync("pull", url, "--sha256", hash, "--models", folder.Path)).Expect(0);
        Assert.Equal(Graph, File.ReadAllBytes(folder.Of("my-net", "model.onnx")));
        Assert.Contains($"sha256    {hash}", run.Lines);
        Assert.Contains("It needs more", run.Output, StringComparison.Ordinal);

        // With the manifest beside it, it is complete, and the same pull leaves it alone.
        File.Copy(Path.Combine(Repository.Root, "models", "nanodet-g", "model.json"), folder.Of("my-net", "model.json"));
        run = (await DetectionTool.RunAsync("pull", url, "--sha256", hash, "--models", folder.Path)).Expect(0);
        Assert.Contains("nanodet, 80 classes", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_is_no_source_is_refused() =>
        Assert.Contains("is not a source", (await DetectionTool.RunAsync("pull", "best.onnx")).Expect(1).Error, StringComparison.Ordinal);
}
