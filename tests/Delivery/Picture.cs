using System.Net.Http.Json;
using System.Text.Json;

namespace Detection.Delivery;

/// <summary>The picture of these tests: one person.</summary>
internal static class Picture
{
    public static string File { get; } = Path.Combine(Repository.Root, "tests", "pictures", "jpeg", "astronaut.jpg");

    public static ByteArrayContent Content()
    {
        var content = new ByteArrayContent(System.IO.File.ReadAllBytes(File));
        content.Headers.ContentType = new("image/jpeg");
        return content;
    }

    /// <summary>Sends it to a front end, and fails unless a person is found.</summary>
    public static async Task DetectAsync(HttpClient http, Uri frontend)
    {
        using var content = Content();
        using var response = await http.PostAsync(new Uri(frontend, "/v1/detections"), content);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, answer.ToString());
        Assert.Contains(answer.GetProperty("boxes").EnumerateArray(), static box => box.GetProperty("label").GetString() == "person");
    }
}
