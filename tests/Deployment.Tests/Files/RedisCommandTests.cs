using System.Globalization;

namespace Detection.Deployment.Tests.Files;

/// <summary>Runs the command with which Compose and Kubernetes start Redis.</summary>
public sealed class RedisCommandTests
{
    private const string Password = "0123456789abcdef0123456789abcdef";

    [Fact]
    public Task Compose_redis_requires_the_password()
    {
        var redis = ComposeFile.Read().Services["redis"];
        return RunAsync([.. redis.Command.Select(static part => part.Replace("$$", "$", StringComparison.Ordinal))], redis.Healthcheck!.Test[1..]);
    }

    [Fact]
    public Task Kubernetes_redis_requires_the_password()
    {
        var redis = Assert.Single(Assert.Single(Manifests.Of<k8s.Models.V1StatefulSet>()).Spec.Template.Spec.Containers);
        return RunAsync([.. redis.Command], [.. redis.ReadinessProbe.Exec.Command]);
    }

    private static async Task RunAsync(List<string> command, List<string> health)
    {
        Assert.SkipWhen(Executables.Find("redis-server") is null, "No redis-server on this machine.");
        var folder = Directory.CreateTempSubdirectory("redis");
        try
        {
            var port = LoopbackPorts.Next().ToString(CultureInfo.InvariantCulture);
            var script = command[^1].TrimEnd().Replace("/tmp/", $"{folder.FullName}/", StringComparison.Ordinal) + $" --port {port} --bind 127.0.0.1 --dir {folder.FullName}";
            await using var server = ChildProcess.Start("redis", command[0], [.. command[1..^1], script], Environment(Password));

            await Eventually.Async(async () => await AskAsync(health, port, Password) is (0, _), Eventually.Soon, "the health check succeeds");
            Assert.NotEqual(0, (await AskAsync(health, port, null)).ExitCode);
            Assert.NotEqual(0, (await AskAsync(health, port, "another")).ExitCode);
            Assert.Contains("noeviction", (await AskAsync(["redis-cli", "config", "get", "maxmemory-policy"], port, Password)).Output, StringComparison.Ordinal);
            Assert.Contains("yes", (await AskAsync(["redis-cli", "config", "get", "appendonly"], port, Password)).Output, StringComparison.Ordinal);
            Assert.Equal(0, await server.StopAsync());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Output)> AskAsync(List<string> command, string port, string? password)
    {
        await using var ask = ChildProcess.Start("redis-cli", command[0], ["-p", port, .. command[1..]], Environment(password));
        await ask.ExitAsync(TimeSpan.FromSeconds(20));
        return (ask.ExitCode, ask.Log);
    }

    private static Dictionary<string, string?> Environment(string? password) => new() { ["REDISCLI_AUTH"] = password };
}
