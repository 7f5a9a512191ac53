using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Storage;
using Detection.Objects;

namespace Detection.Cluster.Tests;

/// <summary>A process with another secret for image keys than the silos logs it, and does not affect processes with the right one.</summary>
public sealed class ImageKeySecretTests
{
    private const string Secret = "0123456789abcdef0123456789abcdef";
    private const string OtherSecret = "0123456789abcdef0123456789abcdeF";

    [Fact]
    public async Task Front_ends_and_silos_with_another_secret_or_none_are_refused_until_the_silos_have_theirs()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0);
        var silo = cluster.AddSilo(With(Secret));
        var same = cluster.AddFrontend(With(Secret));
        await cluster.ReadyAsync();
        var members = await MembersAsync(cluster);
        var other = cluster.AddFrontend(With(OtherSecret));
        var none = cluster.AddFrontend();
        DetectionProcess[] silos = [cluster.AddSilo(With(OtherSecret)), cluster.AddSilo()];
        var before = await DetectAsync(same, 0);

        await Task.WhenAll(RefusedAsync(other, before.Key), RefusedAsync(none, before.Key));
        await RefusedClientAsync(cluster);
        await Task.WhenAll(
            DoesNotStartAsync(silos[0], "Detection__ImageKeys__Secret"), // as it was written
            DoesNotStartAsync(silos[1], "Detection:ImageKeys:Secret"));
        Assert.Equal(members, await MembersAsync(cluster));
        Assert.DoesNotContain("Redis returned wrong bytes", silo.Process.Log, StringComparison.Ordinal);
        Assert.Equal(before.Boxes, (await DetectAsync(same, 1)).Boxes);

        // The secret of the silos changes: the same front ends serve, without a restart.
        Assert.Equal(0, await silo.StopAsync());
        await ForgetSilosAsync(cluster);
        silo.Settings[DetectionSettings.ImageKeySecret] = OtherSecret;
        await silo.StartAgainAsync();
        await other.ReadyAsync();
        var after = await DetectAsync(other, 2);
        Assert.Equal(before.Boxes, after.Boxes);
        Assert.Contains("have the Detection:ImageKeys:Secret of this process", other.Process.Log, StringComparison.Ordinal);
        await RefusedAsync(same, after.Key);
    }

    private static Dictionary<string, string?> With(string secret) => new() { [DetectionSettings.ImageKeySecret] = secret };

    /// <summary>The objects of a photo, the same in each round, and its image key.</summary>
    private static async Task<(string Key, string Boxes)> DetectAsync(DetectionProcess frontend, int round)
    {
        using var content = new ByteArrayContent(TestPictures.Unique(round * TestPictures.PhotoCount));
        using var answer = await frontend.Http.PostAsync(new Uri("/v1/detections?timeout=60", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var result = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("computed", result.GetProperty("source").GetString());
        return (result.GetProperty("imageKey").GetString()!, result.GetProperty("boxes").GetRawText());
    }

    private static async Task RefusedAsync(DetectionProcess frontend, string key)
    {
        await Eventually.Async(
            async limit =>
            {
                using var ready = await frontend.Http.GetAsync(new Uri(DetectionSettings.ReadyPath, UriKind.Relative), limit);
                return ready.StatusCode == HttpStatusCode.ServiceUnavailable
                    && (await ready.Content.ReadAsStringAsync(limit)).Contains("Detection:ImageKeys:Secret", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(60),
            $"{frontend.Name} is not ready and says why");
        foreach (var query in (string[])["", "?async=true"])
        {
            await ProblemAsync(frontend, new HttpRequestMessage(HttpMethod.Post, $"/v1/detections{query}") { Content = new ByteArrayContent(TestPictures.Unique(7)) });
        }

        foreach (var path in (string[])["", "/image", "?wait=5"])
        {
            await ProblemAsync(frontend, new HttpRequestMessage(HttpMethod.Get, $"/v1/detections/{key}{path}"));
        }

        await ProblemAsync(frontend, new HttpRequestMessage(HttpMethod.Post, "/v1/detections") { Content = JsonContent.Create(new { url = "http://127.0.0.1:1/a.jpg" }) });
        Assert.Contains("have another Detection:ImageKeys:Secret than this process", frontend.Process.Log, StringComparison.Ordinal);
    }

    private static async Task ProblemAsync(DetectionProcess frontend, HttpRequestMessage request)
    {
        using (request)
        using (var answer = await frontend.Http.SendAsync(request))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal("/problems/unavailable", problem.GetProperty("type").GetString());
            Assert.Contains("Detection:ImageKeys:Secret", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    private static async Task RefusedClientAsync(DetectionCluster cluster)
    {
        await using var client = new TestClient(cluster.Redis);

        var failure = await Assert.ThrowsAsync<DetectionException>(() => client.Detection.DetectAsync(TestPictures.Unique(8)));

        Assert.Equal(FailureReason.Unavailable, failure.Reason);
        Assert.Contains("Detection:ImageKeys:Secret", failure.Message, StringComparison.Ordinal);
        Assert.Single(await client.Reports.GetSilosAsync());
    }

    private static async Task DoesNotStartAsync(DetectionProcess silo, string setting)
    {
        await silo.Process.ExitAsync(TimeSpan.FromSeconds(90));
        Assert.Equal(1, silo.Process.ExitCode);
        Assert.Contains(
            "Cannot start: The silos of the cluster 'detection' in this Redis have another secret of image keys than this one, or have one and this one has none. "
            + $"Give all the same {setting}",
            silo.Process.Log,
            StringComparison.Ordinal);
    }

    /// <summary>Simulates some seconds after the end of the last silo.</summary>
    private static async Task ForgetSilosAsync(DetectionCluster cluster)
    {
        await using var redis = await cluster.Redis.ConnectAsync();
        Assert.True(await redis.GetDatabase().KeyDeleteAsync(new RedisKeys().ImageKeys));
    }

    /// <summary>All silos in the membership table, including dead ones.</summary>
    private static async Task<string[]> MembersAsync(DetectionCluster cluster)
    {
        await using var redis = await cluster.Redis.ConnectAsync();
        return [.. (await redis.GetDatabase().HashKeysAsync(new RedisKeys().Members)).Select(static silo => silo.ToString()).Order(StringComparer.Ordinal)];
    }
}
