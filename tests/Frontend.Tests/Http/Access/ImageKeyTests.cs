using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Detection.Frontend.Tests.Http.Access;

/// <summary>A server that gives each caller its own image keys: callers cannot read or learn anything about the pictures of others.</summary>
public sealed class ImageKeyTests(ImageKeyTests.SeparateProcess separate) : IClassFixture<ImageKeyTests.SeparateProcess>
{
    private const string Alice = "key-of-alice";
    private const string Bob = "key-of-bob";

    [Fact]
    public async Task Each_protocol_gives_a_caller_the_same_image_key_and_another_caller_another()
    {
        var photo = TestPictures.Unique(7001);
        var url = separate.Pictures.Url("7001.jpg", photo);

        var own = await KeyOfAsync(Alice, "/v1/detections", Asking.Bytes(photo, "image/jpeg"));

        Assert.NotEqual(TestPictures.ImageKey(photo), own);
        Assert.Equal(own, await KeyOfAsync(Alice, "/v1/detections", JsonContent.Create(new { url })));
        Assert.Equal(own, await KeyOfAsync(Alice, "/v1/detections?async=true", Asking.Form(photo)));
        using (var batch = await separate.SendAsync(Alice, HttpMethod.Post, "/v1/detections/batch", Asking.Form(photo)))
        {
            Assert.Equal(own, JsonDocument.Parse(await batch.Content.ReadAsStringAsync()).RootElement.GetProperty("result").GetProperty("imageKey").GetString());
        }

        var inference = new StringContent(
            $$"""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["{{Convert.ToBase64String(photo)}}"]}]}""",
            new MediaTypeHeaderValue("application/json"));
        var answer = await separate.SendAsync(Alice, HttpMethod.Post, "/v2/models/nanodet-g/infer", inference).AnswerAsync();
        Assert.Equal(own, answer.GetProperty("parameters").GetProperty("image_key").GetString());

        var others = await separate.SendAsync(Bob, HttpMethod.Post, "/v1/detections", Asking.Bytes(photo, "image/jpeg")).AnswerAsync();
        Assert.NotEqual(own, others.GetProperty("imageKey").GetString());
        Assert.Equal("computed", others.GetProperty("source").GetString());
    }

    [Fact]
    public async Task Only_the_caller_who_brought_a_picture_reads_its_result_and_the_picture()
    {
        var photo = TestPictures.Unique(7002);
        var key = await KeyOfAsync(Alice, "/v1/detections", Asking.Bytes(photo, "image/jpeg"));
        string[] paths = [$"/v1/detections/{key}", $"/v1/detections/{key}/image", $"/v1/detections/{key}/events"];

        foreach (var path in paths)
        {
            await separate.SendAsync(Bob, HttpMethod.Get, path).ProblemAsync(404, "result-not-found");
            using var own = await separate.SendAsync(Alice, HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        }

        // The hash of the picture, which every owner of the picture can calculate, has no result.
        await separate.SendAsync(Bob, HttpMethod.Get, $"/v1/detections/{TestPictures.ImageKey(photo)}").ProblemAsync(404, "result-not-found");
    }

    private async Task<string?> KeyOfAsync(string key, string path, HttpContent content) =>
        (await separate.SendAsync(key, HttpMethod.Post, path, content).AnswerAsync()).GetProperty("imageKey").GetString();

    /// <summary>A front end in one-process mode with two keys and a secret for image keys.</summary>
    public sealed class SeparateProcess : IAsyncLifetime
    {
        private DetectionProcess? _process;

        internal PictureHost Pictures { get; } = new();

        public async ValueTask InitializeAsync()
        {
            _process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
            {
                [DetectionSettings.Redis] = null,
                [DetectionSettings.ImageKeySecret] = "0123456789abcdef0123456789abcdef",
                ["Detection__Access__Keys__alice__Sha256"] = GuardedProcess.Hash(Alice),
                ["Detection__Access__Keys__bob__Sha256"] = GuardedProcess.Hash(Bob),
                ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
                ["Detection__Fetch__AllowedPorts__0"] = $"{Pictures.Port}",
            });
            await _process.ReadyAsync();
        }

        public async ValueTask DisposeAsync()
        {
            if (_process is not null)
            {
                await _process.DisposeAsync();
            }

            await Pictures.DisposeAsync();
        }

        internal Task<HttpResponseMessage> SendAsync(string key, HttpMethod method, string path, HttpContent? content = null) =>
            _process!.Http.SendAsync(new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content, Headers = { { "X-API-Key", key } } });
    }
}
