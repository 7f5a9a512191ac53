using System.Net.Http.Headers;
using System.Text.Json;
using Detection.Testing;

namespace Detection.Fuzz;

/// <summary>A good picture whose boxes are known. Each time it is sent it has another key, so that the model looks at it again.</summary>
internal sealed class KnownPicture(HttpClient http)
{
    private int _next;
    private string _boxes = "";

    /// <summary>Asks for the boxes that are right from now on.</summary>
    public async Task LearnAsync() => _boxes = await BoxesAsync(TestPictures.Unique(Next()));

    /// <summary>What is different now; <see langword="null"/> when nothing is.</summary>
    public async Task<string?> DifferenceAsync() => await BoxesAsync(TestPictures.Unique(Next())) is var boxes && boxes == _boxes ? null : $"{boxes} instead of {_boxes}";

    /// <summary>Sends so many large pictures, until its Redis is as full as it may get.</summary>
    public async Task FillAsync(int count)
    {
        var large = await File.ReadAllBytesAsync(TestPictures.Path("astronaut.png"));
        for (var number = 0; number < count; number++)
        {
            // Behind the end of a PNG nobody looks.
            await BoxesAsync([.. large, .. BitConverter.GetBytes(number)]);
        }
    }

    // The same pixels come again after as many pictures as there are photos.
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
