using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Detection.Frontend.Tests.Http.Access;

public sealed partial class AccessTests(GuardedProcess guarded) : IClassFixture<GuardedProcess>
{
    [Fact]
    public async Task Requests_without_a_key_are_refused_for_every_operation_but_health()
    {
        using var description = await guarded.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        var paths = (await JsonDocument.ParseAsync(await description.Content.ReadAsStreamAsync())).RootElement.GetProperty("paths");
        List<string> open = [];
        foreach (var path in paths.EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                using var response = await guarded.SendAsync(new HttpMethod(operation.Name.ToUpperInvariant()), Parameter().Replace(path.Name, "nanodet-g"));
                if (response.StatusCode != HttpStatusCode.Unauthorized)
                {
                    open.Add(path.Name);
                    continue;
                }

                Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).Scheme);
                Assert.NotEmpty(await response.Content.ReadAsStringAsync());
            }
        }

        Assert.Equal(["/v2/health/live", "/v2/health/ready"], open.Order());
        await guarded.SendAsync(HttpMethod.Get, "/metrics").ProblemAsync(401, "unauthorized");
    }

    [Fact]
    public async Task Management_address_needs_no_key()
    {
        var management = new Uri($"http://127.0.0.1:{LoopbackPorts.Next()}/");
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Detection__Management__Url"] = management.ToString(),
            ["Detection__Access__Keys__free__Sha256"] = GuardedProcess.Hash(GuardedProcess.Free),
        });

        await Eventually.Async(
            async limit => (await process.Http.GetAsync(new Uri(management, "/metrics"), limit)).StatusCode == HttpStatusCode.OK,
            TimeSpan.FromSeconds(60),
            "metrics need no key");
        await process.Http.ReadAsync("/v1/models").ProblemAsync(401, "unauthorized");

        // By which DeepStack's clients ask whether the API answers, below the path of the status.
        using var ping = await process.Http.ReadAsync("/v1/status/ping");
        Assert.Equal(HttpStatusCode.OK, ping.StatusCode);
        using var status = await process.Http.ReadAsync("/v1/status");
        Assert.Equal(HttpStatusCode.NotFound, status.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/js/main.js")]
    [InlineData("/detectConsult")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/problems/unauthorized")]
    public async Task Page_health_and_descriptions_need_no_key(string path)
    {
        using var response = await guarded.SendAsync(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Key_is_accepted_in_both_headers_and_unknown_keys_are_refused()
    {
        await guarded.SendAsync(HttpMethod.Get, "/v1/models", GuardedProcess.Free).AnswerAsync();
        await AuthorizedAsync("Bearer " + GuardedProcess.Flood).AnswerAsync();

        await guarded.SendAsync(HttpMethod.Get, "/v1/models").ProblemAsync(401, "unauthorized");
        await guarded.SendAsync(HttpMethod.Get, "/nothing/here").ProblemAsync(401, "unauthorized");
        await guarded.SendAsync(HttpMethod.Get, "/v1/models", GuardedProcess.Hash(GuardedProcess.Free)).ProblemAsync(401, "unauthorized");
        await guarded.SendAsync(HttpMethod.Get, "/v1/models", new string('k', 10_000)).ProblemAsync(401, "unauthorized");
        await AuthorizedAsync("Basic " + GuardedProcess.Free).ProblemAsync(401, "unauthorized");
        using var wrong = await AuthorizedAsync("Bearer wrong");
        Assert.Contains("invalid_token", Assert.Single(wrong.Headers.WwwAuthenticate).Parameter, StringComparison.Ordinal);
        Assert.DoesNotContain(GuardedProcess.Free, guarded.Process.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_protocol_refuses_in_its_own_form()
    {
        using var deepStack = await guarded.SendAsync(HttpMethod.Post, "/v1/vision/detection", content: Asking.Form([1]));
        Assert.False(JsonDocument.Parse(await deepStack.Content.ReadAsStringAsync()).RootElement.GetProperty("success").GetBoolean());
        using var triton = await guarded.SendAsync(HttpMethod.Get, "/v2/models/nanodet-g");
        Assert.NotEmpty(JsonDocument.Parse(await triton.Content.ReadAsStringAsync()).RootElement.GetProperty("error").GetString()!);
    }

    [Fact]
    public async Task Key_over_its_rate_gets_RetryAfter_and_others_are_served()
    {
        for (var i = 0; i < 3; i++)
        {
            await guarded.SendAsync(HttpMethod.Get, "/v1/models", GuardedProcess.Rare).AnswerAsync();
            await guarded.SendAsync(HttpMethod.Get, "/health/live", GuardedProcess.Rare).AnswerAsync();
        }

        using var refused = await guarded.SendAsync(HttpMethod.Get, "/v1/models", GuardedProcess.Rare);
        await Task.FromResult(refused).ProblemAsync(429, "rate-limited");
        Assert.True(refused.Headers.RetryAfter?.Delta > TimeSpan.FromMinutes(1));
        await guarded.SendAsync(HttpMethod.Get, "/v1/models", GuardedProcess.Free).AnswerAsync();
    }

    [Fact]
    public async Task Key_over_its_concurrent_uploads_is_refused()
    {
        HeldUpload upload = null!;
        Task<HttpResponseMessage> first = null!;
        HttpResponseMessage? refused = null;
        await Eventually.Async(
            async () =>
            {
                upload = new HeldUpload();
                first = guarded.SendAsync(HttpMethod.Post, "/v1/detections", GuardedProcess.Single, upload);
                await upload.Begun;
                refused = await guarded.SendAsync(HttpMethod.Post, "/v1/detections", GuardedProcess.Single, Asking.Bytes([1], "image/png"));
                if (refused.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    return true;
                }

                // An upload counts when its headers have arrived. When the second one arrived first, both start again.
                upload.Finish();
                using var ended = await first;
                return false;
            },
            Eventually.Soon,
            "the second upload is refused");
        Assert.True(refused!.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        await guarded.SendAsync(HttpMethod.Get, "/v1/models", GuardedProcess.Single).AnswerAsync();
        await guarded.SendAsync(HttpMethod.Post, "/v1/detections", GuardedProcess.Free, Asking.Bytes([1], "image/png")).ProblemAsync(400, "not-a-picture");

        upload.Finish();
        await first.ProblemAsync(400, "not-a-picture");
        await guarded.SendAsync(HttpMethod.Post, "/v1/detections", GuardedProcess.Single, Asking.Bytes([1], "image/png")).ProblemAsync(400, "not-a-picture");
    }

    [Fact]
    public async Task Flood_of_one_key_is_refused_and_another_key_is_served()
    {
        var flood = Enumerable.Range(0, 60)
            .Select(i => guarded.SendAsync(HttpMethod.Post, "/v1/detections?timeout=60", GuardedProcess.Flood, Asking.Form(TestPictures.Unique(20_000 + i))))
            .ToList();
        await Task.WhenAny(flood);

        await guarded.SendAsync(HttpMethod.Post, "/v1/detections?timeout=60", GuardedProcess.Free, Asking.Form(TestPictures.Unique(21_000))).AnswerAsync();

        var answers = await Task.WhenAll(flood);
        Assert.All(answers, answer => Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.TooManyRequests }));
        var refused = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        await Task.FromResult(refused).ProblemAsync(429, "share-used");
    }

    [Fact]
    public async Task Keys_file_is_reread_and_a_broken_file_changes_nothing()
    {
        guarded.WriteFile($$"""{"late":{"Sha256":"{{GuardedProcess.Hash("key-of-late")}}"} }""");
        await Eventually.Async(async () => await StatusAsync("key-of-late") == HttpStatusCode.OK, Eventually.Soon, "the new key is known");

        guarded.WriteFile("""{"late":{"Sha256":"not a hash"}}""");
        await Eventually.Async(() => guarded.Process.Process.Log.Contains("Sha256 of the key 'late'", StringComparison.Ordinal), Eventually.Soon, "the fault is in the log");
        string[][] faults =
        [
            ["{", "cannot be read"],
            ["""{"late":{"Sha256":"HASH","Administrator":"yes"}}""", "'late:Administrator' is 'yes'. Use true or false."],
            ["""{"late":{"Sha256":"HASH","Administrator":1}}""", "'late:Administrator' is '1'."],
            ["""{"late":{"Sha256":"HASH","RequestsPerSecond":"abc"}}""", "'late:RequestsPerSecond' is 'abc'. Use a number"],
            ["""{"late":{"Sha256":"HASH","Burst":"1,5"}}""", "'late:Burst' is '1,5'. Use a whole number"],
            ["""{"late":{"Sha256":"HASH","Admin":true}}""", "The key 'late' has a field 'Admin', which does not exist."],
            ["""{"late":{"Sha256":["HASH"]}}""", "The field 'Sha256' of the key 'late' is not a single value."],
            ["""{"late":"HASH"}""", "The key 'late' is not an object with the field Sha256."],
            ["""{"late":{"Burst":1}}""", "is missing. Use the hash that 'detection key NAME' prints."],
        ];
        foreach (var fault in faults)
        {
            guarded.WriteFile(fault[0].Replace("HASH", GuardedProcess.Hash("key-of-late"), StringComparison.Ordinal));
            await Eventually.Async(() => guarded.Process.Process.Log.Contains(fault[1], StringComparison.Ordinal), Eventually.Soon, $"the log has {fault[1]}");
            Assert.Equal(HttpStatusCode.OK, await StatusAsync("key-of-late"));
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync("key-of-late"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(GuardedProcess.Free));

        guarded.WriteFile("{}");
        await Eventually.Async(async () => await StatusAsync("key-of-late") == HttpStatusCode.Unauthorized, Eventually.Soon, "the key is known no more");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(GuardedProcess.Free));
    }

    [Fact]
    public async Task Keys_in_appsettings_are_reread_and_a_wrong_key_changes_nothing()
    {
        var environment = $"Test{Guid.NewGuid():N}";
        var output = Path.GetRelativePath(Path.Combine(Repository.Root, "tests", "Frontend.Tests"), AppContext.BaseDirectory);
        var file = Path.Combine(Repository.Root, "src", "Frontend", output, $"appsettings.{environment}.json");
        static string Settings(string hash) => $$"""{"Detection:Access:Keys:one:Sha256":"{{hash}}"}""";
        await File.WriteAllTextAsync(file, Settings(GuardedProcess.Hash("before")));
        try
        {
            await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
            {
                [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
                ["DOTNET_ENVIRONMENT"] = environment,
            });
            async Task<HttpStatusCode> StatusAsync(string key, CancellationToken limit = default)
            {
                var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/nothing/here", UriKind.Relative)) { Headers = { { "X-API-Key", key } } };
                using var response = await process.Http.SendAsync(request, limit);
                return response.StatusCode;
            }

            await Eventually.Async(async limit => await StatusAsync("before", limit) == HttpStatusCode.NotFound, TimeSpan.FromSeconds(60), "the key opens");
            await File.WriteAllTextAsync(file, Settings(GuardedProcess.Hash("after")));
            await Eventually.Async(async limit => await StatusAsync("after", limit) == HttpStatusCode.NotFound, Eventually.Soon, "the new key opens");
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("before"));

            await File.WriteAllTextAsync(file, Settings("not a hash"));
            await Eventually.Async(() => process.Process.Log.Contains("The setting 'Detection:Access:Keys:one:Sha256' is not 64 hex digits", StringComparison.Ordinal), Eventually.Soon, "the fault is in the log");
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync("after"));

            // A refusal is logged only by the message of the problem.
            Assert.DoesNotContain("was challenged", process.Process.Log, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Server_without_keys_on_a_public_address_logs_a_warning()
    {
        await using var open = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Kestrel__Endpoints__Http__Url"] = $"http://0.0.0.0:{LoopbackPorts.Next()}",
        });

        await Eventually.Async(
            () => open.Process.Log.Contains("without API keys", StringComparison.Ordinal), TimeSpan.FromSeconds(60), "the warning is in the log");
    }

    [Fact]
    public async Task Key_with_invalid_hash_stops_the_start()
    {
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = $"127.0.0.1:{LoopbackPorts.Next()}",
            ["Detection__Access__Keys__mistaken__Sha256"] = "the-key-itself",
        });

        await process.Process.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.NotEqual(0, process.Process.ExitCode);
        Assert.Contains("Cannot start: The setting 'Detection__Access__Keys__mistaken__Sha256' is not 64 hex digits.", process.Process.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("the-key-itself", process.Process.Log, StringComparison.Ordinal);
    }

    private async Task<HttpStatusCode> StatusAsync(string key)
    {
        using var response = await guarded.SendAsync(HttpMethod.Get, "/v1/models", key);
        return response.StatusCode;
    }

    private Task<HttpResponseMessage> AuthorizedAsync(string value)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/v1/models", UriKind.Relative));
        request.Headers.Authorization = AuthenticationHeaderValue.Parse(value);
        return guarded.Http.SendAsync(request);
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();

    /// <summary>A body whose second half is sent when the test releases it.</summary>
    private sealed class HeldUpload : HttpContent
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public HeldUpload() => Headers.ContentType = new("image/png");

        public Task Begun => _begun.Task.WaitAsync(Eventually.Soon);

        public void Finish() => _finish.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[1000]);
            await stream.FlushAsync();
            _begun.TrySetResult();
            await _finish.Task.WaitAsync(Eventually.Soon);
            await stream.WriteAsync(new byte[1000]);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 2000;
            return true;
        }
    }
}
