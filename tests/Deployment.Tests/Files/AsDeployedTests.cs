using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Detection.Deployment.Tests.Files;

/// <summary>Silo and front end with exactly the settings of the manifests, on ports of the test: probes, a request, a stop.</summary>
public sealed partial class AsDeployedTests
{
    [Fact]
    public async Task The_manifests_make_a_cluster_that_answers_its_probes_and_detects()
    {
        await using var redis = await RedisServer.StartAsync();
        var (silo, frontend) = (Manifests.Deployment("silo").Container(), Manifests.Deployment("frontend").Container());
        var siloManagement = LoopbackPorts.Next();
        await using var first = DetectionProcess.StartSilo(Environment(silo, redis, siloManagement, "silo-6b8f7c9d5-x7k2p"));
        await using var second = DetectionProcess.StartFrontend(Environment(frontend, redis, LoopbackPorts.Next(), "frontend-5d8c-q"));
        await first.ReadyAsync();
        await second.ReadyAsync();

        await AnswerProbesAsync(silo, first);
        await AnswerProbesAsync(frontend, second);
        await BeHealthyInTheImageAsync("silo", first);
        await BeHealthyInTheImageAsync("frontend", second);

        using var picture = new ByteArrayContent(await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "tests/pictures/jpeg/astronaut.jpg")));
        picture.Headers.ContentType = new("image/jpeg");
        using var answer = await second.Http.PostAsync(new Uri("/v1/detections", UriKind.Relative), picture);
        Assert.Contains("\"person\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // The metric that the scaler queries in Prometheus is a metric of a silo, with the name of the pod.
        var query = Assert.Single(Assert.Single(Manifests.Of<ScaledObject>()).Spec.Triggers).Metadata["query"];
        var path = Manifests.Deployment("silo").Spec.Template.Metadata.Annotations["prometheus.io/path"];
        using var management = new HttpClient();
        var metrics = await management.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{siloManagement}{path}")));
        Assert.Contains($"\n{MetricName().Match(query).Value}{{", metrics, StringComparison.Ordinal);

        Assert.Equal(0, await first.StopAsync());
        Assert.Equal(0, await second.StopAsync());
    }

    private static Dictionary<string, string?> Environment(V1Container container, RedisServer redis, int management, string pod)
    {
        var environment = container.Env.ToDictionary(static variable => variable.Name, string? (variable) => variable switch
        {
            { Name: "ASPNETCORE_URLS" } => null,
            // The volume has the models of the image.
            { Name: "Detection__Models__Directory" } => Path.Combine(Repository.Root, "models"),
            { Name: "Detection__Management__Url" } => variable.Value.Replace($"*:{container.Port("management")}", $"127.0.0.1:{management}", StringComparison.Ordinal),
            { Name: DetectionSettings.SiloPort or DetectionSettings.GatewayPort } => LoopbackPorts.Next().ToString(CultureInfo.InvariantCulture),
            { ValueFrom.SecretKeyRef.Name: "detection-redis" } => redis.ConnectionString,
            { ValueFrom.SecretKeyRef.Name: "detection-cluster" } => "0123456789abcdef0123456789abcdef",
            { ValueFrom.FieldRef.FieldPath: "metadata.name" } => pod,
            { ValueFrom.FieldRef.FieldPath: "status.podIP" } => "127.0.0.1",
            { Value: { } value } => value,
            _ => throw new InvalidDataException($"{variable.Name} comes from somewhere that this test does not know."),
        });
        foreach (var (key, value) in redis.ClientEnvironment)
        {
            environment[key] = value;
        }

        return environment;
    }

    private static async Task AnswerProbesAsync(V1Container container, DetectionProcess process)
    {
        foreach (var probe in new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe })
        {
            using var answer = await process.Http.GetAsync(new Uri(probe.HttpGet.Path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    /// <summary>Runs the command of the Dockerfile's health check, against this port.</summary>
    private static async Task BeHealthyInTheImageAsync(string stage, DetectionProcess process)
    {
        var health = Dockerfile.Last(stage, "HEALTHCHECK");
        var command = JsonSerializer.Deserialize<string[]>(health[(health.IndexOf("CMD ", StringComparison.Ordinal) + 4)..])!;
        Assert.Equal(0, await RunAsync(process.Url.Port));
        Assert.NotEqual(0, await RunAsync(LoopbackPorts.Next()));

        async Task<int> RunAsync(int port)
        {
            await using var check = ChildProcess.Start("health check", command[0], command[1..].Select(argument =>
                PortOfCheck().Replace(argument, string.Create(CultureInfo.InvariantCulture, $"/127.0.0.1/{port} "))));
            await check.ExitAsync(TimeSpan.FromSeconds(10));
            return check.ExitCode;
        }
    }

    [GeneratedRegex("/127.0.0.1/[0-9]+ ")]
    private static partial Regex PortOfCheck();

    [GeneratedRegex("detection_[a-z_]+")]
    private static partial Regex MetricName();
}
