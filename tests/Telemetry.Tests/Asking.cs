using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Detection.Telemetry.Tests;

/// <summary>Sends requests to a process.</summary>
internal static class Asking
{
    /// <summary>Sends a picture and reads the answer or the problem.</summary>
    /// <param name="http">The front end.</param>
    /// <param name="picture">The picture.</param>
    /// <param name="traceParent">The caller's trace.</param>
    public static async Task<(HttpStatusCode Status, JsonElement Body)> DetectAsync(this HttpClient http, byte[] picture, string? traceParent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/detections?timeout=60", UriKind.Relative))
        {
            Content = new ByteArrayContent(picture),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        if (traceParent is not null)
        {
            request.Headers.Add("traceparent", traceParent);
        }

        using var response = await http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>The status of a GET.</summary>
    public static async Task<HttpStatusCode> StatusAsync(this HttpClient http, string path)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        return response.StatusCode;
    }

    /// <summary>The text of a GET that succeeds.</summary>
    public static Task<string> TextAsync(this HttpClient http, string path) => http.GetStringAsync(new Uri(path, UriKind.Relative));
}
