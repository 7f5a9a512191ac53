using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Detection.Frontend.Tests;

/// <summary>Sends requests to the API.</summary>
internal static class Asking
{
    private const string Detections = "/v1/detections";

    public static ByteArrayContent Bytes(byte[] bytes, string type)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    public static MultipartFormDataContent Form(byte[] bytes, string field = "image", string file = "photo.jpg") =>
        new() { { Bytes(bytes, "image/jpeg"), field, file } };

    public static Task<HttpResponseMessage> PostAsync(this HttpClient http, HttpContent content, string query = "", string? accept = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Detections + query, UriKind.Relative)) { Content = content };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        return http.SendAsync(request);
    }

    public static Task<HttpResponseMessage> ReadAsync(this HttpClient http, string path) => http.GetAsync(new Uri(path, UriKind.Relative));

    /// <summary>The answer of a successful request.</summary>
    public static async Task<JsonElement> AnswerAsync(this Task<HttpResponseMessage> asking)
    {
        using var response = await asking;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The problem of a request that fails as expected.</summary>
    public static async Task<JsonElement> ProblemAsync(this Task<HttpResponseMessage> asking, int status, string type)
    {
        using var response = await asking;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal("/problems/" + type, problem.GetProperty("type").GetString());
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        Assert.NotEmpty(problem.GetProperty("traceId").GetString()!);
        return problem;
    }
}
