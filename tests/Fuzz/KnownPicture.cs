using System.Net.Http.Headers;
using System.Text.Json;
using Detection.Testing;

namespace Detection.Fuzz;

/// <summary>A valid picture with known boxes. It has another image key each time, so that the model runs again.</summary>
internal sealed class KnownPicture(HttpClient http)
{
    private int _next;
    private string _boxes = "";

    /// <summary>Requests the expected boxes.</summary>
    public async Task LearnAsync() => _boxes = await BoxesAsync(TestPictures.Unique(Next()));

    /// <summary>The difference to the expected boxes; <see langword="null"/> when there is none.</summary>
    public async Task<string?> DifferenceAsync() => await BoxesAsync(TestPictures.Unique(Next())) is var boxes && boxes == _boxes ? null : $"{boxes} instead of {_boxes}";

    /// <summary>Sends a number of large pictures, until the embedded Redis is as full as it can be.</summary>
    public async Task FillAsync(int count)
    {
        var large = await File.ReadAllBytesAsync(TestPictures.Path("astronaut.png"));
        for (var number = 0; number < count; number++)
        {
            // Bytes after the end of a PNG are ignored.
            await BoxesAsync([.. large, .. BitConverter.GetBytes(number)]);
        }
    }

    // The same pixels are sent again after as many pictures as there are photos.
    private int Next() => TestPictures.PhotoCount * _next++;

    private async Task<string> BoxesAsync(byte[] picture)
    {
        using var content = new ByteArrayContent(picture);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var answer = await http.PostAsync(new Uri("/v1/detections?timeout=60", UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"A good picture was answered {(int)answer.StatusCode}: {text}");
        }

        using var json = JsonDocument.Parse(text);
        return json.RootElement.GetProperty("boxes").GetRawText();
    }
}
