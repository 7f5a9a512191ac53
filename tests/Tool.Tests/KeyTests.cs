using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Detection.Tool.Tests;

/// <summary><c>detection key</c>.</summary>
public sealed class KeyTests
{
    [Fact]
    public async Task Key_makes_a_new_key_each_time_with_the_hash_for_a_server()
    {
        var run = (await DetectionTool.RunAsync("key", "camera-1")).Expect(0);
        var again = (await DetectionTool.RunAsync("key", "camera-1")).Expect(0);

        var key = Value(run, "key");
        Assert.NotEqual(key, Value(again, "key"));
        Assert.True(key.Length >= 43);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        Assert.Equal(hash, Value(run, "sha256"));
        Assert.Equal($"Detection__Access__Keys__camera-1__Sha256={hash}", Value(run, "setting"));
        Assert.Equal(hash, JsonDocument.Parse(Value(run, "file")).RootElement.GetProperty("camera-1").GetProperty("Sha256").GetString());
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("a|b")]
    [InlineData("a:b")]
    public async Task Invalid_key_name_is_refused(string name) =>
        Assert.Contains("is no name for a key", (await DetectionTool.RunAsync("key", name)).Expect(1).Error, StringComparison.Ordinal);

    private static string Value(ToolRun run, string label) =>
        Assert.Single(run.Lines, line => line.StartsWith(label + " ", StringComparison.Ordinal))[label.Length..].Trim();
}
