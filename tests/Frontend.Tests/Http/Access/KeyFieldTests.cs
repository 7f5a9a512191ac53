using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Http.Access;

/// <summary>DeepStack's clients cannot set headers: their key is in the form or in the query, and only DeepStack's paths accept it there.</summary>
public sealed class KeyFieldTests(GuardedProcess guarded) : IClassFixture<GuardedProcess>
{
    private static readonly byte[] Photo = TestPictures.Unique(7330);

    [Fact]
    public async Task Key_in_form_or_query_is_accepted_on_DeepStack_paths()
    {
        foreach (var path in (string[])["/v1/vision/detection", "/v1/vision/custom/nanodet-g"])
        {
            await RefusedAsync(path, Asking.Form(Photo));
            await RefusedAsync(path, WithKey("wrong"));
            await RefusedAsync(path + "?api_key=wrong", Asking.Form(Photo));
            await RefusedAsync(path, Asking.Bytes(Photo, "image/jpeg"));

            Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Post, path, null, WithKey(GuardedProcess.Free))).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Post, $"{path}?api_key={GuardedProcess.Free}", null, Asking.Form(Photo))).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Post, path, GuardedProcess.Free, Asking.Form(Photo))).StatusCode);
        }

        await RefusedAsync("/v1/vision/custom/list", null);
        Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Post, $"/v1/vision/custom/list?api_key={GuardedProcess.Free}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Get, "/v1/status/ping")).StatusCode);
    }

    [Fact]
    public async Task DeepStack_key_is_refused_on_other_paths()
    {
        foreach (var path in (string[])["/v1/detections", "/v2/models/nanodet-g/infer", "/detect/imageDetect"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await guarded.SendAsync(HttpMethod.Post, path, null, WithKey(GuardedProcess.Free))).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await guarded.SendAsync(HttpMethod.Post, $"{path}?api_key={GuardedProcess.Free}", null, Asking.Form(Photo))).StatusCode);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await guarded.SendAsync(HttpMethod.Get, $"/v1/status?api_key={GuardedProcess.Free}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Post, "/v1/detections", GuardedProcess.Free, Asking.Form(Photo))).StatusCode);
    }

    [Fact]
    public async Task Form_without_a_known_key_counts_as_an_upload_of_its_address()
    {
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__Access__MaxUploads"] = "4",
            ["Detection__Access__Keys__free__Sha256"] = GuardedProcess.Hash(GuardedProcess.Free),
        });
        await frontend.ReadyAsync();
        List<Socket> held = [];
        try
        {
            // An address that is alone may hold half of four, and another one half of the rest.
            held.Add(await UnendingAsync(frontend, "127.0.0.2"));
            held.Add(await UnendingAsync(frontend, "127.0.0.2"));
            Assert.StartsWith("HTTP/1.1 429", await RefusalAsync(frontend, "127.0.0.2"), StringComparison.Ordinal);
            held.Add(await UnendingAsync(frontend, "127.0.0.3"));

            // A caller with a key in its form takes the last place, for its address and then for itself.
            for (var i = 0; i < 3; i++)
            {
                using var answer = await frontend.Http.PostAsync(new Uri("/v1/vision/detection", UriKind.Relative), WithKey(GuardedProcess.Free));
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
        }
        finally
        {
            held.ForEach(static socket => socket.Dispose());
        }

        await Eventually.Async(
            async () =>
            {
                using var again = await UnendingAsync(frontend, "127.0.0.2");
                using var and = await UnendingAsync(frontend, "127.0.0.2");
                return (await RefusalAsync(frontend, "127.0.0.2")).StartsWith("HTTP/1.1 429", StringComparison.Ordinal);
            },
            Eventually.Soon,
            "the places are free again");
    }

    [Fact]
    public async Task Connection_that_is_reset_during_an_upload_leaves_no_error_in_the_log()
    {
        foreach (var path in (string[])["/v1/vision/detection", "/v1/detections"])
        {
            for (var i = 0; i < 60; i++)
            {
                var socket = await UnendingAsync(guarded.Process, "127.0.0.4", path, GuardedProcess.Free);
                await Task.Yield();
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }
        }

        Assert.Equal(HttpStatusCode.OK, (await guarded.SendAsync(HttpMethod.Post, "/v1/vision/detection", null, WithKey(GuardedProcess.Free))).StatusCode);
        Assert.DoesNotContain("automatic draining", guarded.Process.Process.Log, StringComparison.Ordinal);
    }

    /// <summary>Starts a form that does not end, and waits until its first bytes are read.</summary>
    private static async Task<Socket> UnendingAsync(DetectionProcess frontend, string from, string path = "/v1/vision/detection", string? key = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync("127.0.0.1", frontend.Url.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\n{(key is null ? "" : $"X-API-Key: {key}\r\n")}Expect: 100-continue\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"));

        // The server asks for the body when its reader begins.
        var answer = await ReadAsync(socket);
        Assert.StartsWith("HTTP/1.1 100", answer, StringComparison.Ordinal);
        await socket.SendAsync("--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\nabc"u8.ToArray());
        return socket;
    }

    private static async Task<string> RefusalAsync(DetectionProcess frontend, string from)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync("127.0.0.1", frontend.Url.Port);
        await socket.SendAsync("POST /v1/vision/detection HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"u8.ToArray());
        return await ReadAsync(socket);
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[4096];
        using var limit = new CancellationTokenSource(Eventually.Soon);
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, limit.Token));
    }

    private static MultipartFormDataContent WithKey(string key)
    {
        var form = Asking.Form(Photo);
        form.Add(new StringContent(key), "api_key");
        return form;
    }

    private async Task RefusedAsync(string path, HttpContent? content)
    {
        using var response = await guarded.SendAsync(HttpMethod.Post, path, null, content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, text);
        Assert.False(JsonDocument.Parse(text).RootElement.GetProperty("success").GetBoolean());
    }
}
