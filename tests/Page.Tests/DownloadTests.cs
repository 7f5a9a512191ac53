using System.Text.Json;

namespace Detection.Page.Tests;

/// <summary>The downloads contain what the page shows.</summary>
public class DownloadTests(PageSite site)
{
    [Fact]
    public Task The_answer_is_downloaded_at_the_threshold_of_the_slider() => site.VisitAsync(async visit =>
    {
        using var folder = new TemporaryFolder();
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        await visit.SlideAsync("ArrowRight"); // 0.41

        var file = await DownloadAsync(visit, folder, ".downloads .button:nth-child(2)", Path.ChangeExtension(Path.GetFileName(Photos.People), ".json"));

        var saved = JsonDocument.Parse(file).RootElement;
        var (_, answer) = await site.AskAsync(Photos.People);
        Assert.Equal(answer.GetProperty("imageKey").GetString(), saved.GetProperty("imageKey").GetString());
        Assert.Equal(0.41, saved.GetProperty("threshold").GetDouble(), 1e-9);
        Assert.Equal(
            UploadTests.Boxes(answer).Where(box => box.Score >= 0.41),
            UploadTests.Boxes(saved));
    });

    [Fact]
    public Task The_picture_is_downloaded_in_full_size_with_the_boxes_in_it() => site.VisitAsync(async visit =>
    {
        using var folder = new TemporaryFolder();
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        var (_, answer) = await site.AskAsync(Photos.People);

        var file = await DownloadAsync(visit, folder, ".downloads .button:nth-child(1)", Path.GetFileNameWithoutExtension(Photos.People) + "-detected.jpg");

        Assert.Equal([0xFF, 0xD8, 0xFF], file[..3]);
        // Read the pixels on the edges of the best box, halfway down its sides: the colour of the box.
        var box = UploadTests.Boxes(answer).First();
        var pixels = await visit.Page.EvaluateFunctionAsync<JsonElement>("""
            async (base64, x1, x2, y) => {
              const image = new Image();
              image.src = `data:image/jpeg;base64,${base64}`;
              await image.decode();
              const canvas = document.createElement('canvas');
              canvas.width = image.naturalWidth;
              canvas.height = image.naturalHeight;
              const pen = canvas.getContext('2d', { willReadFrequently: true });
              pen.drawImage(image, 0, 0);
              const at = (x) => [...pen.getImageData(Math.max(0, Math.min(canvas.width - 1, Math.round(x))), Math.round(y), 1, 1).data].slice(0, 3);
              return { width: canvas.width, height: canvas.height, left: at(x1), right: at(x2) };
            }
            """, Convert.ToBase64String(file), box.X1, box.X2, (box.Y1 + box.Y2) / 2);
        Assert.Equal(answer.GetProperty("width").GetInt32(), pixels.GetProperty("width").GetInt32());
        Assert.Equal(answer.GetProperty("height").GetInt32(), pixels.GetProperty("height").GetInt32());
        var colour = Convert.FromHexString((await visit.BoxesAsync())[0].Colour[1..]).Select(channel => (int)channel).ToArray();
        Assert.True(
            Distance(pixels.GetProperty("left"), colour) < 90 || Distance(pixels.GetProperty("right"), colour) < 90,
            $"No edge of the best box in the colour {string.Join(' ', colour)}: {pixels}");
    });

    private static int Distance(JsonElement pixel, int[] colour) =>
        pixel.EnumerateArray().Zip(colour, (channel, wanted) => Math.Abs(channel.GetInt32() - wanted)).Sum();

    private static async Task<byte[]> DownloadAsync(Visit visit, TemporaryFolder folder, string button, string name)
    {
        await visit.Page.Client.SendAsync("Page.setDownloadBehavior", new { behavior = "allow", downloadPath = folder.Path });
        await visit.Page.ClickAsync(button);
        var path = Path.Combine(folder.Path, name);
        await Eventually.Async(() => File.Exists(path), Eventually.Soon, $"'{name}' is downloaded");
        return await File.ReadAllBytesAsync(path);
    }
}
