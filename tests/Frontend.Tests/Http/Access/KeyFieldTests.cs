using System.Net;
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
