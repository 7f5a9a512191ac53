using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Api.Detections;

public sealed class AsynchronousTests(OneProcess frontend)
{
    private static readonly RedisKeys Keys = new();

    [Theory]
    [InlineData("?threshold=0.07", "respond-async, wait=5")]
    [InlineData("?async=true&threshold=0.07&timeout=30", null)]
    public async Task Asynchronous_request_gets_202_and_its_answer_is_at_the_location(string query, string? prefer)
    {
        var photo = TestPictures.Unique(prefer is null ? 901 : 902);
        var key = TestPictures.ImageKey(photo);

        var (response, ticket) = await SubmitAsync(frontend.Http, Asking.Bytes(photo, "image/jpeg"), query, prefer);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var model = (await frontend.Http.ReadAsync("/v1/models/nanodet-g").AnswerAsync()).GetProperty("id").GetString()!;
        Assert.Equal($"/v1/detections/{key}?model={model}&threshold=0.07", response.Headers.Location!.ToString());
        Assert.Equal(response.Headers.Location.ToString(), ticket.GetProperty("location").GetString());
        Assert.Equal(prefer is not null, response.Headers.Contains("Preference-Applied"));
        Assert.True(response.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal(key, ticket.GetProperty("imageKey").GetString());
        Assert.True(ticket.GetProperty("status").GetString() is "queued" or "running");
        Assert.True(ticket.GetProperty("position").GetInt32() >= 1);
        var answer = await frontend.Http.ReadAsync(Waiting(response)).AnswerAsync();
        Assert.Equal(key, answer.GetProperty("imageKey").GetString());
        Assert.Equal(0.07f, answer.GetProperty("threshold").GetSingle());

        // A second request gets the cached result.
        var (again, body) = await SubmitAsync(frontend.Http, Asking.Bytes(photo, "image/jpeg"), query, prefer);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(answer.GetProperty("boxes").GetRawText(), body.GetProperty("boxes").GetRawText());
    }

    [Fact]
    public async Task Failure_of_a_request_can_be_read()
    {
        var photo = TestPictures.Unique(903)[..3000];
        var (response, _) = await SubmitAsync(frontend.Http, Asking.Bytes(photo, "image/jpeg"), "?async=true");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);

        for (var time = 0; time < 2; time++)
        {
            var problem = await frontend.Http.ReadAsync(Waiting(response)).ProblemAsync(422, "undecodable");
            Assert.Equal(TestPictures.ImageKey(photo), problem.GetProperty("imageKey").GetString());
        }

        var last = (await EventsAsync(Events(response))).Single();
        Assert.Equal("failed", last.Name);
        Assert.Equal("/problems/undecodable", last.Data.GetProperty("type").GetString());
    }

    [Fact]
    public async Task Expired_request_can_be_read()
    {
        // The mark is in Redis, but the item is in no list: as if it was lost with all its processes.
        var photo = TestPictures.Unique(906);
        var model = (await frontend.Http.ReadAsync("/v1/models/nanodet-g").AnswerAsync()).GetProperty("id").GetString()!;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));
        var mark = Keys.Item(new RequestKey(model, TestPictures.ImageKey(photo)));
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await redis.GetDatabase().StringSetAsync(mark, string.Create(CultureInfo.InvariantCulture, $"{now}|{now}|"));

        var (response, _) = await SubmitAsync(frontend.Http, Asking.Bytes(photo, "image/jpeg"), "?async=true&timeout=1");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.True(await redis.GetDatabase().KeyDeleteAsync(mark));

        await frontend.Http.ReadAsync(Waiting(response)).ProblemAsync(504, "deadline-exceeded");
        await frontend.Http.ReadAsync(response.Headers.Location!.ToString()).ProblemAsync(504, "deadline-exceeded");
        var last = (await EventsAsync(Events(response))).Single();
        Assert.Equal("expired", last.Name);

        // The same picture is a new request.
        await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg")).AnswerAsync();
    }

    [Fact]
    public async Task Events_stream_the_states_until_the_answer()
    {
        var photo = TestPictures.Unique(904);
        await SubmitAsync(frontend.Http, Asking.Bytes(photo, "image/jpeg"), "?async=true");

        var events = await EventsAsync($"/v1/detections/{TestPictures.ImageKey(photo)}/events?threshold=0.07");

        Assert.All(events.SkipLast(1), e => Assert.True(e.Name is "queued" or "running"));
        Assert.Equal(events.Select(e => e.Name).Distinct(), events.Select(e => e.Name));
        Assert.Equal("done", events[^1].Name);
        Assert.Equal(0.07f, events[^1].Data.GetProperty("threshold").GetSingle());
        await frontend.Http.ReadAsync($"/v1/detections/{new string('0', 64)}/events").ProblemAsync(404, "result-not-found");
        await frontend.Http.ReadAsync("/v1/detections/short/events").ProblemAsync(404, "result-not-found");
    }

    [Fact]
    public async Task Unknown_request_is_answered_at_once()
    {
        await frontend.Http.PostAsync(Asking.Bytes([], "image/jpeg"), "?async=true").ProblemAsync(400, "not-a-picture");
        await frontend.Http.PostAsync(Asking.Bytes(TestPictures.Unique(905), "image/jpeg"), "?async=true&model=none").ProblemAsync(404, "model-not-found");
        await frontend.Http.PostAsync(JsonContent.Create(new { url = "http://169.254.169.254/" }), "?async=true").ProblemAsync(400, "url-not-allowed");
        await frontend.Http.ReadAsync($"/v1/detections/{new string('0', 64)}?wait=1").ProblemAsync(404, "result-not-found");
        await frontend.Http.ReadAsync($"/v1/detections/{new string('0', 64)}?wait=61").ProblemAsync(400, "invalid-request");
    }

    [Fact]
    public async Task Another_front_end_answers_after_the_accepting_one_was_killed()
    {
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 2);
        var photos = Enumerable.Range(0, 20).Select(i => TestPictures.Unique(960 + i)).ToList();
        var broken = TestPictures.Unique(990)[..3000];
        foreach (var photo in photos.Append(broken))
        {
            var (response, _) = await SubmitAsync(cluster.Frontends[0].Http, Asking.Bytes(photo, "image/jpeg"), "?async=true");
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        }

        await cluster.Frontends[0].KillAsync();

        foreach (var photo in photos)
        {
            await cluster.Frontends[1].Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(photo)}?wait=30").AnswerAsync();
        }

        await cluster.Frontends[1].Http.ReadAsync($"/v1/detections/{TestPictures.ImageKey(broken)}?wait=30").ProblemAsync(422, "undecodable");
    }

    [Fact]
    public async Task Answer_stays_at_its_location_after_the_model_was_replaced_and_removed()
    {
        using var models = new ModelFolder();
        models.Lay("nanodet-g", 0.4);
        models.Lay("people", 0.4);
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 2, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = models.Path,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        var (first, second) = (cluster.Frontends[0].Http, cluster.Frontends[1].Http);
        await Eventually.Async(async () => await VersionAsync(first) is not null, Eventually.Soon, "the model is served");
        var before = await VersionAsync(first);
        var photo = TestPictures.Unique(970);
        var (accepted, ticket) = await SubmitAsync(first, Asking.Bytes(photo, "image/jpeg"), "?async=true&model=people&threshold=0.1");
        var (damaged, _) = await SubmitAsync(first, Asking.Bytes(photo[..3000], "image/jpeg"), "?async=true&model=people");
        Assert.Equal(
            $"/v1/detections/{TestPictures.ImageKey(photo)}?model={before}&threshold=0.1", ticket.GetProperty("location").GetString());

        models.Lay("people", 0.3);
        await Eventually.Async(async () => await VersionAsync(first) is { } now && now != before, Eventually.Soon, "the model is replaced");
        var answer = await second.ReadAsync(Waiting(accepted)).AnswerAsync();
        Assert.Equal(before, answer.GetProperty("model").GetString());
        await second.ReadAsync($"/v1/detections/{TestPictures.ImageKey(photo)}?model=people").ProblemAsync(404, "result-not-found");

        await Eventually.Async(
            async () => !(await first.ReadAsync("/v1/status").AnswerAsync()).GetProperty("silos").GetRawText().Contains(before!, StringComparison.Ordinal),
            Eventually.Soon,
            "the version is gone");
        var again = await second.ReadAsync(Waiting(accepted)).AnswerAsync();
        Assert.Equal(answer.GetProperty("boxes").GetRawText(), again.GetProperty("boxes").GetRawText());
        Assert.Equal("done", (await EventsAsync(Events(accepted), second)).Single().Name);
        await second.ReadAsync(Waiting(damaged)).ProblemAsync(422, "undecodable");
        var refused = await second.PostAsync(Asking.Bytes(photo, "image/jpeg"), $"?model={before}&iou=0.3").ProblemAsync(404, "model-not-found");
        Assert.Contains($"Model '{before}' was replaced", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);

        async Task<string?> VersionAsync(HttpClient http)
        {
            using var model = await http.GetAsync(new Uri("/v1/models/people", UriKind.Relative));
            return model.IsSuccessStatusCode ? JsonDocument.Parse(await model.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString() : null;
        }
    }

    private static async Task<(HttpResponseMessage Response, JsonElement Body)> SubmitAsync(
        HttpClient http, HttpContent content, string query, string? prefer = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/detections" + query, UriKind.Relative)) { Content = content };
        if (prefer is not null)
        {
            request.Headers.TryAddWithoutValidation("Prefer", prefer);
        }

        var response = await http.SendAsync(request);
        return (response, JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement);
    }

    /// <summary>Address of the answer, with a wait.</summary>
    private static string Waiting(HttpResponseMessage accepted) => Path(accepted, suffix: "", query: "wait=20");

    /// <summary>Address of the events.</summary>
    private static string Events(HttpResponseMessage accepted) => Path(accepted, suffix: "/events", query: "");

    private static string Path(HttpResponseMessage accepted, string suffix, string query)
    {
        var location = new UriBuilder(new Uri(new Uri("http://localhost"), accepted.Headers.Location!));
        location.Path += suffix;
        location.Query = $"{location.Query}&{query}".Trim('&');
        return location.Uri.PathAndQuery;
    }

    private async Task<List<(string Name, JsonElement Data)>> EventsAsync(string path, HttpClient? http = null)
    {
        using var response = await (http ?? frontend.Http).ReadAsync(path);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync();
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(block => block[0] != ':').Select(block =>
        {
            var lines = block.Split('\n');
            Assert.StartsWith("event: ", lines[0], StringComparison.Ordinal);
            Assert.StartsWith("data: ", lines[1], StringComparison.Ordinal);
            return (lines[0][7..], JsonDocument.Parse(lines[1][6..]).RootElement);
        })];
    }
}
