using System.Net;

namespace Detection.Frontend.Tests.Http.Access;

/// <summary>Who may administer the cluster.</summary>
public sealed class AdministrationTests(GuardedProcess guarded, OneProcess open) : IClassFixture<GuardedProcess>
{
    private const string DeadLetters = "/v1/admin/dead-letters";

    [Fact]
    public async Task Key_with_the_right_administers_and_others_are_refused()
    {
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(0, (await guarded.SendAsync(HttpMethod.Get, DeadLetters, GuardedProcess.Administrator).AnswerAsync()).GetProperty("items").GetArrayLength());
            await guarded.SendAsync(HttpMethod.Get, DeadLetters, GuardedProcess.Free).ProblemAsync(403, "forbidden");
            await guarded.SendAsync(HttpMethod.Post, "/v1/admin/silos/any/drain", GuardedProcess.Free).ProblemAsync(403, "forbidden");
            await guarded.SendAsync(HttpMethod.Post, "/v1/admin/models/nanodet-g/retry", GuardedProcess.Free).ProblemAsync(403, "forbidden");
            await guarded.SendAsync(HttpMethod.Get, DeadLetters).ProblemAsync(401, "unauthorized");
            await guarded.SendAsync(HttpMethod.Post, "/v1/admin/silos/any/drain").ProblemAsync(401, "unauthorized");
        }

        Assert.Equal("granted", await RightAsync(GuardedProcess.Administrator));
        Assert.Equal("keyNeeded", await RightAsync(GuardedProcess.Free));
        Assert.DoesNotContain("requested a drain of the silo any", guarded.Process.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_right_comes_and_goes_with_the_keys_file()
    {
        guarded.WriteFile($$"""{"late":{"Sha256":"{{GuardedProcess.Hash("key-of-late")}}","Administrator":true} }""");
        await Eventually.Async(async () => await StatusAsync("key-of-late") == HttpStatusCode.OK, Eventually.Soon, "the key administers");
        guarded.WriteFile($$"""{"late":{"Sha256":"{{GuardedProcess.Hash("key-of-late")}}"} }""");
        await Eventually.Async(async () => await StatusAsync("key-of-late") == HttpStatusCode.Forbidden, Eventually.Soon, "the key has the right no more");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(GuardedProcess.Administrator));
    }

    [Fact]
    public async Task What_is_not_there_is_said_to_be_not_there()
    {
        var answer = await guarded.SendAsync(HttpMethod.Post, "/v1/admin/models/nanodet-g/retry", GuardedProcess.Administrator);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Contains("\"outcome\":\"serving\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await guarded.SendAsync(HttpMethod.Post, "/v1/admin/models/nothing/retry", GuardedProcess.Administrator).ProblemAsync(404, "model-not-found");
        await guarded.SendAsync(HttpMethod.Post, "/v1/admin/silos/nothing/drain", GuardedProcess.Administrator).ProblemAsync(404, "not-found");
        await guarded.SendAsync(HttpMethod.Get, $"{DeadLetters}/{new string('0', 64)}/picture", GuardedProcess.Administrator).ProblemAsync(404, "result-not-found");
        await guarded.SendAsync(HttpMethod.Get, "/v1/admin/nothing", GuardedProcess.Administrator).ProblemAsync(404, "not-found");
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("Forwarded", "for=203.0.113.7")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("Origin", "https://app.example.org")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Without_keys_only_who_is_on_this_machine_administers(string header, string value)
    {
        await open.Http.ReadAsync(DeadLetters).AnswerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(DeadLetters, UriKind.Relative)) { Headers = { { header, value } } };
        var problem = await open.Http.SendAsync(request).ProblemAsync(404, "not-found");
        Assert.Contains("Administrator: true", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await open.Http.ReadAsync(DeadLetters).AnswerAsync();
    }

    [Fact]
    public async Task Without_keys_nobody_administers_a_server_that_other_machines_can_reach()
    {
        var port = LoopbackPorts.Next();
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Kestrel__Endpoints__Http__Url"] = $"http://0.0.0.0:{port}",
        });
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await Eventually.Async(async limit => (await http.GetAsync(new Uri("/health/live", UriKind.Relative), limit)).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "it answers");

        await http.ReadAsync(DeadLetters).ProblemAsync(404, "not-found");
        using var drain = await http.PostAsync(new Uri("/v1/admin/silos/any/drain", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NotFound, drain.StatusCode);
    }

    [Fact]
    public async Task With_keys_the_listener_for_management_asks_for_one_with_the_right()
    {
        var management = new Uri($"http://127.0.0.1:{LoopbackPorts.Next()}/");
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Detection__Management__Url"] = management.ToString(),
            ["Detection__Access__Keys__ops__Sha256"] = GuardedProcess.Hash(GuardedProcess.Administrator),
            ["Detection__Access__Keys__ops__Administrator"] = "true",
        });
        using var http = new HttpClient { BaseAddress = management };
        await Eventually.Async(async limit => (await http.GetAsync(new Uri("/metrics", UriKind.Relative), limit)).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "it answers");

        using var anonymous = await http.ReadAsync(DeadLetters);
        Assert.Equal("Bearer", Assert.Single(anonymous.Headers.WwwAuthenticate).Scheme);
        await Task.FromResult(anonymous).ProblemAsync(401, "unauthorized");

        // Let in; there is no Redis.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(DeadLetters, UriKind.Relative)) { Headers = { { "X-API-Key", GuardedProcess.Administrator } } };
        await http.SendAsync(request).ProblemAsync(503, "unavailable");
        await process.Http.ReadAsync(DeadLetters).ProblemAsync(404, "not-found");
    }

    private async Task<string?> RightAsync(string key) =>
        (await guarded.SendAsync(HttpMethod.Get, "/v1/status", key).AnswerAsync()).GetProperty("administration").GetString();

    private async Task<HttpStatusCode> StatusAsync(string key)
    {
        using var response = await guarded.SendAsync(HttpMethod.Get, DeadLetters, key);
        return response.StatusCode;
    }
}
