using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Storage;

namespace Detection.Cluster.Tests;

/// <summary>Silo and gateway ports accept only processes with the cluster's certificate and secret.</summary>
public sealed class ClusterSecurityTests
{
    private const string Secret = "correct-horse-battery-staple-0001";
    private const string OtherSecret = "correct-horse-battery-staple-0002";
    private const int Pictures = 6;

    [Fact]
    public async Task Certificates_and_secret_refuse_outsiders_and_the_cluster_continues()
    {
        using var authority = new ClusterAuthority();
        using var stranger = new ClusterAuthority();
        await using var cluster = await DetectionCluster.StartAsync(silos: 0, frontends: 0);
        var good = cluster.AddSilo(With(authority.Issue("silo1"), Secret));
        cluster.AddSilo(With(authority.Issue("silo2"), Secret));
        var http = cluster.AddFrontend(With(authority.Issue("frontend1"), Secret)).Http;
        await cluster.ReadyAsync();
        var before = await DetectAsync(http, 0);

        // A refused process logs it and is not ready, although Redis answers. A silo logs one refusal a second, so this process starts alone.
        var guesser = cluster.AddFrontend(With(authority.Issue("frontend4"), OtherSecret));
        await RefusedFrontendAsync(guesser, "the other side closed the connection during the handshake; its log says why");
        await LogsAsync(good, "refused: the other side has another secret");
        var foreigner = cluster.AddFrontend(With(stranger.Issue("frontend2"), Secret));
        await Task.WhenAll(RefusedFrontendAsync(foreigner, "the certificate 'CN=silo"), RefusedFrontendAsync(cluster.AddFrontend(), "Connection"));

        // Refused silos are never in the membership table: several could vote out others.
        var members = await MembersAsync(cluster);
        DetectionProcess[] strangers =
        [
            cluster.AddSilo(With(stranger.Issue("silo1"), Secret)),
            cluster.AddSilo(With(authority.Issue("silo3"), OtherSecret)),
            cluster.AddSilo(With([], Secret)),
            cluster.AddSilo(),
        ];
        await Task.WhenAll(strangers.Select(static silo => RefusedSiloAsync(silo)));
        Assert.Equal(members, await MembersAsync(cluster));

        Assert.Equal(before, await DetectAsync(http, 1));

        // A new certificate is used without a restart: a new front end, and the silos among each other after it.
        authority.Issue("silo1");
        authority.Issue("silo2");
        var late = cluster.AddFrontend(With(authority.Issue("frontend3"), Secret));
        await late.ReadyAsync();
        Assert.Equal(before, await DetectAsync(late.Http, 2));

        // A silo checks its files when any process connects, but not at every connection.
        await Eventually.Async(
            async () =>
            {
                using var caller = await ConnectAsync(good);
                return good.Process.Log.Contains("silo1.crt' has changed", StringComparison.Ordinal);
            },
            Eventually.Soon,
            "the first silo has read its new certificate");
    }

    [Fact]
    public async Task Secret_alone_refuses_clients_without_it_and_silent_connections()
    {
        await using var cluster = await DetectionCluster.StartAsync(settings: With([], $"{Secret} {OtherSecret}"), frontends: 0);
        var silo = cluster.Silos[0];
        using var silent = await ConnectAsync(silo);
        await using var first = new TestClient(cluster.Redis.ConnectionString, secret: Secret);
        var answer = await first.Detection.DetectAsync(TestPictures.Unique(0));
        await IsClosedAsync(silent);
        await LogsAsync(silo, "the handshake was not complete after 5 s");

        foreach (var secret in (string[])["", OtherSecret + "3"])
        {
            await using var refused = new TestClient(cluster.Redis.ConnectionString, secret: secret);
            await Assert.ThrowsAsync<DetectionException>(() => refused.Detection.DetectAsync(TestPictures.Unique(1), new DetectionOptions { Deadline = TimeSpan.FromSeconds(3) }));
        }

        using var talker = await ConnectAsync(silo);
        await talker.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"));
        await IsClosedAsync(talker);
        await LogsAsync(silo, "did not start the secret handshake");

        // While a secret changes, both are accepted.
        await using var second = new TestClient(cluster.Redis.ConnectionString, secret: OtherSecret);
        foreach (var client in (TestClient[])[first, second])
        {
            var again = await client.Detection.DetectAsync(TestPictures.Unique(client == first ? TestPictures.PhotoCount : 2 * TestPictures.PhotoCount));
            Assert.Equal(AnswerSource.Computed, again.Source);
            Assert.Equal(answer.Objects.Select(static found => $"{found}"), again.Objects.Select(static found => $"{found}"));
        }
    }

    private static Dictionary<string, string?> With(Dictionary<string, string?> settings, string secret) =>
        new(settings) { [DetectionSettings.ClusterSecret] = secret };

    /// <summary>The objects of some photos; of the same photos in each round, but not from the cache.</summary>
    private static async Task<string[]> DetectAsync(HttpClient http, int round) => await Task.WhenAll(Enumerable.Range(0, Pictures).Select(async i =>
    {
        using var content = new ByteArrayContent(TestPictures.Unique(i + (round * TestPictures.PhotoCount)));
        using var answer = await http.PostAsync(new Uri("/v1/detections?timeout=60", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("boxes").GetRawText();
    }));

    private static async Task RefusedFrontendAsync(DetectionProcess frontend, string reason)
    {
        await UnreadyAsync(frontend);
        using var content = new ByteArrayContent(TestPictures.Unique(Pictures));
        using var answer = await frontend.Http.PostAsync(new Uri("/v1/detections?timeout=3", UriKind.Relative), content);
        Assert.True((int)answer.StatusCode >= 500, $"{answer.StatusCode}");
        await LogsAsync(frontend, reason);
        Assert.False(await frontend.IsReadyAsync());
        await frontend.KillAsync();
    }

    private static Task UnreadyAsync(DetectionProcess frontend) =>
        Eventually.Async(
            async limit =>
            {
                using var ready = await frontend.Http.GetAsync(new Uri(DetectionSettings.ReadyPath, UriKind.Relative), limit);
                return ready.StatusCode == HttpStatusCode.ServiceUnavailable
                    && (await ready.Content.ReadAsStringAsync(limit)).Contains("No silo accepted a connection from this process", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(60),
            $"{frontend.Name} is not ready");

    private static async Task RefusedSiloAsync(DetectionProcess silo)
    {
        await silo.Process.ExitAsync(TimeSpan.FromSeconds(90));
        Assert.Equal(1, silo.Process.ExitCode);
        Assert.Contains("Cannot start: The silos of the cluster 'detection' in this Redis have another secret or another authority", silo.Process.Log, StringComparison.Ordinal);
    }

    /// <summary>All silos in the membership table, including dead ones.</summary>
    private static async Task<string[]> MembersAsync(DetectionCluster cluster)
    {
        await using var redis = await cluster.Redis.ConnectAsync();
        return [.. (await redis.GetDatabase().HashKeysAsync(new RedisKeys().Members)).Select(static silo => silo.ToString()).Order(StringComparer.Ordinal)];
    }

    private static Task LogsAsync(DetectionProcess process, string text) =>
        Eventually.Async(() => process.Process.Log.Contains(text, StringComparison.Ordinal), TimeSpan.FromSeconds(90), $"the log of {process.Name} says: {text}");

    private static async Task<TcpClient> ConnectAsync(DetectionProcess silo)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, int.Parse(silo.Settings[DetectionSettings.GatewayPort]!, CultureInfo.InvariantCulture));
        return client;
    }

    private static async Task IsClosedAsync(TcpClient client)
    {
        using var limit = new CancellationTokenSource(Eventually.Soon);
        try
        {
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], limit.Token));
        }
        catch (IOException)
        {
            // Reset, which is as good.
        }
    }
}
