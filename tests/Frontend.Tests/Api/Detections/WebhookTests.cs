using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Api.Detections;

public sealed class WebhookTests(OneProcess frontend)
{
    private static readonly RedisKeys Keys = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Result_is_posted_signed_and_equals_the_answer_of_GET(bool byUrl)
    {
        var photo = TestPictures.Unique(byUrl ? 2001 : 2002);
        var url = frontend.Webhooks.Url($"end-{byUrl}?token=a%20b");
        const string Chosen = "&threshold=0.02&max=3&labels=person,car,dog,cat,chair";
        using HttpContent content = byUrl
            ? System.Net.Http.Json.JsonContent.Create(new { url = frontend.Pictures.Url("2001.jpg", photo) })
            : Asking.Form(photo);

        using var accepted = await SubmitAsync(content, url, Chosen);

        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var webhook = Assert.Single(await frontend.Webhooks.ReceiveAsync(url));
        Assert.Equal(("POST", "application/json"), (webhook.Method, webhook.ContentType));
        Assert.Matches("^msg_[0-9a-f]{32}$", webhook.Id);
        Assert.True(webhook.IsSignedWith(OneProcess.WebhookSecret));
        Assert.InRange(DateTimeOffset.UtcNow - webhook.At, TimeSpan.FromSeconds(-2), TimeSpan.FromMinutes(2));
        Assert.Equal(await GetAsync(photo, "?" + Chosen[1..], "total"), Comparable(webhook.Body, "total"));
    }

    [Theory]
    [InlineData("text.jpg", 400)]
    [InlineData("truncated.jpg", 422)]
    [InlineData("huge.png", 413)]
    [InlineData("unsupported.tiff", 415)]
    public async Task Failure_is_posted_and_equals_the_answer_of_GET(string name, int status)
    {
        // Bytes after the end of the JPEG make the picture unique to this test.
        byte[] picture = [.. await File.ReadAllBytesAsync(TestPictures.Path(Path.Combine("edge", name))), .. "webhook"u8];
        var url = frontend.Webhooks.Url($"failure-{name}");

        using var accepted = await SubmitAsync(Asking.Bytes(picture, "image/jpeg"), url);

        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var webhook = Assert.Single(await frontend.Webhooks.ReceiveAsync(url));
        Assert.Equal("application/problem+json", webhook.ContentType);
        Assert.True(webhook.IsSignedWith(OneProcess.WebhookSecret));
        Assert.Equal(status, JsonNode.Parse(webhook.Body)!["status"]!.GetValue<int>());
        Assert.Equal(await GetAsync(picture, "", "traceId"), Comparable(webhook.Body, "traceId"));

        // A failure is not cached: the same picture is a new request with its own webhook.
        await DoneAsync(webhook.Id!);
        using var again = await SubmitAsync(Asking.Bytes(picture, "image/jpeg"), url);
        Assert.NotEqual(webhook.Id, (await frontend.Webhooks.ReceiveAsync(url, 2))[1].Id);
    }

    [Fact]
    public async Task Request_end_without_a_message_is_found_and_posted()
    {
        // The mark is in Redis, but the item is in no list: as if it was lost with all its processes.
        var photo = TestPictures.Unique(2003);
        var model = (await frontend.Http.ReadAsync("/v1/models/nanodet-g").AnswerAsync()).GetProperty("id").GetString()!;
        await using var redis = await ConnectAsync();
        var mark = Keys.Item(new RequestKey(model, TestPictures.ImageKey(photo)));
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await redis.GetDatabase().StringSetAsync(mark, string.Create(CultureInfo.InvariantCulture, $"{now}|{now}|"));
        var url = frontend.Webhooks.Url("expired");

        using var accepted = await SubmitAsync(Asking.Bytes(photo, "image/jpeg"), url, "&timeout=1");

        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        Assert.True(await redis.GetDatabase().KeyDeleteAsync(mark));
        var webhook = Assert.Single(await frontend.Webhooks.ReceiveAsync(url));
        Assert.Equal("/problems/deadline-exceeded", JsonNode.Parse(webhook.Body)!["type"]!.GetValue<string>());
        Assert.Equal(await GetAsync(photo, "", "traceId"), Comparable(webhook.Body, "traceId"));
    }

    [Fact]
    public async Task Webhook_is_retried_with_the_same_id_and_body_until_it_is_accepted()
    {
        var url = frontend.Webhooks.Url("again", 500, 429, 503);

        using var accepted = await SubmitAsync(Asking.Form(TestPictures.Unique(2004)), url);

        var attempts = await frontend.Webhooks.ReceiveAsync(url, 4);
        Assert.Single(attempts.Select(attempt => attempt.Id).Distinct());
        Assert.All(attempts, attempt => Assert.True(attempt.IsSignedWith(OneProcess.WebhookSecret)));
        Assert.All(attempts, attempt => Assert.Equal(attempts[0].Body, attempt.Body));
        Assert.True(attempts[2].At > attempts[1].At, "Retry-After of the 429 is a second");
        await DoneAsync(attempts[0].Id!);
        Assert.Equal(4, frontend.Webhooks.At(url).Count);
    }

    [Theory]
    [InlineData("gone", 410, 1)]
    [InlineData("not found", 404, 1)]
    [InlineData("elsewhere", 307, 1)]
    [InlineData("never", 500, 4)]
    public async Task Webhook_that_is_refused_or_out_of_attempts_ends_and_is_logged_once(string name, int status, int attempts)
    {
        var photo = TestPictures.Unique(2100 + status);
        var url = frontend.Webhooks.Url(name.Replace(' ', '-'), Enumerable.Repeat(status, 20));
        var before = await GivenUpAsync();

        using var accepted = await SubmitAsync(Asking.Form(photo), url);

        var received = await frontend.Webhooks.ReceiveAsync(url, attempts);
        await DoneAsync(received[0].Id!);
        Assert.Equal(attempts, frontend.Webhooks.At(url).Count);
        Assert.DoesNotContain(frontend.Webhooks.Received, webhook => webhook.Path == "/redirected");
        await Eventually.Async(
            async () => await GivenUpAsync() == before + 1, Eventually.Soon, "it is counted");
        var said = frontend.Process.Process.Log.Split('\n').Where(line => line.Contains($"webhook {received[0].Id} abandoned after", StringComparison.Ordinal));
        Assert.Contains(TestPictures.ImageKey(photo), Assert.Single(said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_url_gets_one_webhook_also_for_a_cached_result()
    {
        var photo = TestPictures.Unique(2005);
        var one = frontend.Webhooks.Url("one");
        var other = frontend.Webhooks.Url("other");
        foreach (var url in (Uri[])[one, other, one, other])
        {
            using var response = await SubmitAsync(Asking.Form(photo), url);
            Assert.True(response.IsSuccessStatusCode);
        }

        await frontend.Webhooks.ReceiveAsync(one);
        await frontend.Webhooks.ReceiveAsync(other);
        await frontend.Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(photo)}?wait=30").AnswerAsync();

        var late = frontend.Webhooks.Url("late");
        using var known = await SubmitAsync(Asking.Form(photo), late);
        using var again = await SubmitAsync(Asking.Form(photo), one);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        var webhook = Assert.Single(await frontend.Webhooks.ReceiveAsync(late));
        Assert.Equal(await GetAsync(photo, "", "total"), Comparable(webhook.Body, "total"));
        await using var redis = await ConnectAsync();
        await Eventually.Async(
            async () => await redis.GetDatabase().SortedSetLengthAsync(Keys.WebhooksDue()) == 0, Eventually.Soon, "none waits any more");
        Assert.Single(frontend.Webhooks.At(one));
        Assert.Single(frontend.Webhooks.At(other));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest", "webhook-refused")]
    [InlineData("http://10.1.2.3/hook", "webhook-refused")]
    [InlineData("http://[::1]/hook", "webhook-refused")]
    [InlineData("http://127.0.0.1:1/hook", "webhook-refused")]
    [InlineData("ftp://127.0.0.1/hook", "webhook-refused")]
    [InlineData("http://user:password@127.0.0.1/hook", "webhook-refused")]
    [InlineData("/hook", "webhook-refused")]
    [InlineData("hook", "invalid-request")]
    public async Task Webhook_to_an_address_that_the_egress_guard_forbids_is_refused(string url, string problem)
    {
        var photo = TestPictures.Unique(2006);
        await frontend.Http.PostAsync(Asking.Form(photo), $"?async=true&webhook={Uri.EscapeDataString(url)}").ProblemAsync(400, problem);
        await frontend.Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(photo)}").ProblemAsync(404, "result-not-found");
    }

    [Fact]
    public async Task Webhook_of_a_request_that_waits_is_refused() =>
        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(2007)), $"?webhook={frontend.Webhooks.Url("waiting")}").ProblemAsync(400, "invalid-request");

    [Fact]
    public async Task Webhook_over_the_capacity_is_refused_before_anything_is_stored()
    {
        await using var receiver = new WebhookReceiver();
        await using var cluster = await StartAsync(receiver, frontends: 1, ("Detection__Webhooks__Capacity", "1"));
        var http = cluster.Frontends[0].Http;
        var held = receiver.Url("held", 0);
        var second = TestPictures.Unique(2009);
        using var first = await SubmitAsync(Asking.Form(TestPictures.Unique(2008)), held, http: http);
        await receiver.ReceiveAsync(held);

        using var refused = await SubmitAsync(Asking.Form(second), receiver.Url("refused"), http: http);

        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        await Task.FromResult(refused).ProblemAsync(503, "webhooks-full");
        await http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(second)}").ProblemAsync(404, "result-not-found");
        await http.PostAsync(Asking.Form(second)).AnswerAsync();
    }

    [Fact]
    public async Task Webhook_without_a_secret_is_refused()
    {
        await using var receiver = new WebhookReceiver();
        await using var cluster = await StartAsync(receiver, frontends: 1, ("Detection__Webhooks__Secret", null));
        var problem = await cluster.Frontends[0].Http
            .PostAsync(Asking.Form(TestPictures.Unique(2010)), $"?async=true&webhook={receiver.Url("none")}").ProblemAsync(400, "webhook-refused");
        Assert.Equal("The webhook is not accepted", problem.GetProperty("title").GetString());
        Assert.Contains("Webhooks:Secret", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_webhook_arrives_whichever_process_is_killed()
    {
        await using var receiver = new WebhookReceiver();
        await using var cluster = await StartAsync(receiver, frontends: 1, ("Detection__Webhooks__Timeout", "00:00:04"));
        var photos = Enumerable.Range(0, 12).Select(i => TestPictures.Unique(2050 + i)).ToList();
        List<Uri> urls = [];
        foreach (var photo in photos)
        {
            // The receiver does not answer at first, so all webhooks are in progress when the processes are killed.
            urls.Add(receiver.Url(TestPictures.ImageKey(photo), 0));
            using var accepted = await SubmitAsync(Asking.Form(photo), urls[^1], http: cluster.Frontends[0].Http);
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        }

        // Some requests have ended and their webhooks are being delivered; others are in the queue or on the device.
        await receiver.ReceiveAsync(urls[0]);
        await Task.WhenAll(cluster.Frontends[0].KillAsync(), cluster.Silos[0].KillAsync());
        var seen = receiver.Received;
        await using (var redis = await cluster.Redis.ConnectAsync())
        {
            Assert.Equal(photos.Count, await redis.GetDatabase().SortedSetLengthAsync(Keys.WebhooksDue()));
            await foreach (var key in redis.GetServers()[0].KeysAsync(pattern: "detection:{webhooks}*"))
            {
                Assert.True(await redis.GetDatabase().KeyTimeToLiveAsync(key) is not null, $"{key} stays for ever");
            }
        }

        await cluster.Silos[0].StartAgainAsync();
        await cluster.Silos[0].ReadyAsync();

        for (var i = 0; i < photos.Count; i++)
        {
            var before = seen.Count(webhook => webhook.Path == urls[i].PathAndQuery);
            var attempts = await receiver.ReceiveAsync(urls[i], before + 1, TimeSpan.FromSeconds(60));
            Assert.Single(attempts.Select(attempt => attempt.Id).Distinct());
            Assert.All(attempts, attempt => Assert.True(attempt.IsSignedWith(OneProcess.WebhookSecret)));
            Assert.Equal(TestPictures.ImageKey(photos[i]), JsonNode.Parse(attempts[^1].Body)!["imageKey"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task Several_silos_deliver_each_webhook_once()
    {
        await using var receiver = new WebhookReceiver();
        await using var cluster = await StartAsync(receiver, silos: 2, frontends: 1);
        var urls = Enumerable.Range(0, 24).Select(i => receiver.Url($"once-{i}")).ToList();
        await Task.WhenAll(urls.Select(async (url, i) =>
        {
            using var accepted = await SubmitAsync(Asking.Form(TestPictures.Unique(2080 + i)), url, http: cluster.Frontends[0].Http);
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        }));

        await Task.WhenAll(urls.Select(url => receiver.ReceiveAsync(url)));
        await using var redis = await cluster.Redis.ConnectAsync();
        await Eventually.Async(
            async () => await redis.GetDatabase().SortedSetLengthAsync(Keys.WebhooksDue()) == 0, Eventually.Soon, "all are delivered");
        Assert.Equal(24, receiver.Received.Count);
    }

    [Fact]
    public async Task Receiver_that_hangs_does_not_delay_another()
    {
        await using var hanging = new WebhookReceiver();
        await using var prompt = new WebhookReceiver();
        await using var cluster = await StartAsync(
            prompt,
            frontends: 1,
            ("Detection__Webhooks__MaxConcurrency", "2"),
            ("Detection__Webhooks__Timeout", "00:01:00"),
            ("Detection__Fetch__AllowedPorts__1", hanging.Port.ToString(CultureInfo.InvariantCulture)));
        for (var i = 0; i < 4; i++)
        {
            using var accepted = await SubmitAsync(
                Asking.Form(TestPictures.Unique(2120 + i)), hanging.Url($"hanging-{i}", 0), http: cluster.Frontends[0].Http);
        }

        await Eventually.Async(() => hanging.Received.Count > 0, Eventually.Soon, "one hangs");
        var url = prompt.Url("prompt");
        using var last = await SubmitAsync(Asking.Form(TestPictures.Unique(2130)), url, http: cluster.Frontends[0].Http);

        await prompt.ReceiveAsync(url);
        Assert.Single(hanging.Received);
    }

    [Fact]
    public async Task Key_over_its_share_of_webhooks_is_refused_and_another_is_accepted()
    {
        static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        await using var hanging = new WebhookReceiver();
        await using var cluster = await StartAsync(
            hanging,
            frontends: 1,
            ("Detection__Webhooks__Capacity", "4"),
            ("Detection__Webhooks__Timeout", "00:01:00"),
            ("Detection__Access__Keys__flood__Sha256", Hash("the key of the flood")),
            ("Detection__Access__Keys__other__Sha256", Hash("the key of the other")));

        List<JsonElement> refused = [];
        List<HttpStatusCode> statuses = [];
        foreach (var (key, number) in (IEnumerable<(string, int)>)[("the key of the flood", 0), ("the key of the flood", 1), ("the key of the flood", 2), ("the key of the other", 3)])
        {
            var url = hanging.Url($"share-{number}", 0);
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/detections?async=true&webhook={Uri.EscapeDataString(url.AbsoluteUri)}")
            {
                Content = Asking.Form(TestPictures.Unique(2200 + number)),
                Headers = { { "X-API-Key", key } },
            };
            using var answer = await cluster.Frontends[0].Http.SendAsync(request);
            statuses.Add(answer.StatusCode);
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.NotNull(answer.Headers.RetryAfter);
                refused.Add(JsonElement.Parse(await answer.Content.ReadAsStringAsync()));
            }
        }

        Assert.Equal([HttpStatusCode.Accepted, HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests, HttpStatusCode.Accepted], statuses);
        Assert.Equal("/problems/share-used", Assert.Single(refused).GetProperty("type").GetString());
        Assert.Contains("Caller 'flood' already has as many pending webhooks", refused[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static Task<DetectionCluster> StartAsync(
        WebhookReceiver receiver, int frontends, params IEnumerable<(string Key, string? Value)> settings) => StartAsync(receiver, 1, frontends, settings);

    private static Task<DetectionCluster> StartAsync(
        WebhookReceiver receiver, int silos, int frontends, params IEnumerable<(string Key, string? Value)> settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["Detection__Webhooks__Secret"] = OneProcess.WebhookSecret,
            ["Detection__Webhooks__FirstPause"] = "00:00:00.1",
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = receiver.Port.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return DetectionCluster.StartAsync(silos, frontends, all);
    }

    private Task<HttpResponseMessage> SubmitAsync(HttpContent content, Uri webhook, string query = "", HttpClient? http = null) =>
        (http ?? frontend.Http).PostAsync(content, $"?async=true&webhook={Uri.EscapeDataString(webhook.AbsoluteUri)}{query}");

    private Task<ConnectionMultiplexer> ConnectAsync() =>
        ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));

    /// <summary>Waits until a webhook is neither waiting nor being delivered.</summary>
    private async Task DoneAsync(string id)
    {
        await using var redis = await ConnectAsync();
        await Eventually.Async(
            async () => !await redis.GetDatabase().KeyExistsAsync(Keys.Webhook(id))
                && await redis.GetDatabase().SortedSetScoreAsync(Keys.WebhooksDue(), id) is null,
            Eventually.Soon,
            "the webhook has ended");
    }

    private async Task<double> GivenUpAsync()
    {
        using var response = await frontend.Http.ReadAsync("/metrics");
        var line = (await response.Content.ReadAsStringAsync()).Split('\n').Single(line =>
            line.StartsWith("detection_webhooks_total{", StringComparison.Ordinal) && line.Contains("outcome=\"givenUp\"", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private async Task<string> GetAsync(byte[] picture, string query, string without)
    {
        using var response = await frontend.Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(picture)}{query}");
        return Comparable(await response.Content.ReadAsByteArrayAsync(), without);
    }

    /// <summary>A body without the values that differ between requests.</summary>
    private static string Comparable(byte[] body, string without)
    {
        var json = JsonNode.Parse(body)!.AsObject();
        Assert.True(json.Count > 5);
        json.Remove(without);
        json["timings"]?.AsObject().Remove(without);
        return json.ToJsonString();
    }
}
