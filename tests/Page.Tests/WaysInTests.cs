using System.Text.Json;

namespace Detection.Page.Tests;

/// <summary>Other ways to add pictures: drop, paste, a URL.</summary>
public class WaysInTests(PageSite site)
{
    [Fact]
    public Task Dropped_photo_is_detected() => site.VisitAsync(async visit =>
    {
        var data = new
        {
            items = Array.Empty<object>(),
            files = new[] { Photos.People },
            dragOperationsMask = 1,
        };
        await visit.Page.Client.SendAsync("Input.dispatchDragEvent", new { type = "dragEnter", x = 30, y = 700, data });
        await visit.Page.Client.SendAsync("Input.dispatchDragEvent", new { type = "dragOver", x = 30, y = 700, data });
        await visit.SeenAsync("!document.getElementById('drop-veil').hidden");
        await visit.Page.Client.SendAsync("Input.dispatchDragEvent", new { type = "drop", x = 30, y = 700, data });
        await visit.AnsweredAsync();

        Assert.NotEmpty(await visit.BoxesAsync());
        Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('drop-veil').hidden"));
    });

    [Fact]
    public Task Pasted_picture_is_detected() => site.VisitAsync(async visit =>
    {
        var picture = Convert.ToBase64String(await File.ReadAllBytesAsync(Photos.People));
        await visit.Page.EvaluateFunctionAsync("""
            (base64) => {
              const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
              const clipboard = new DataTransfer();
              clipboard.items.add(new File([bytes], 'image.webp', { type: 'image/webp' }));
              document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: clipboard, bubbles: true, cancelable: true }));
            }
            """, picture);
        await visit.AnsweredAsync();

        Assert.NotEmpty(await visit.BoxesAsync());
    });

    [Fact]
    public Task Photo_of_a_url_is_fetched_by_the_server_and_shown() => site.VisitAsync(async visit =>
    {
        await visit.EnterUrlAsync(site.PhotoUrl.ToString());
        await visit.AnsweredAsync();

        var (_, answer) = await site.AskAsync(Photos.People);
        Assert.NotEmpty(await visit.BoxesAsync());
        Assert.Contains("street.webp", await visit.TextAsync(".summary"), StringComparison.Ordinal);
        var shown = await visit.EvaluateAsync<JsonElement>(
            "[document.getElementById('picture').naturalWidth, document.getElementById('picture').naturalHeight]");
        Assert.Equal(
            [answer.GetProperty("width").GetInt32(), answer.GetProperty("height").GetInt32()],
            shown.EnumerateArray().Select(side => side.GetInt32()));
    });

    [Fact]
    public Task Invalid_address_is_reported_beside_the_field_and_not_sent() => site.VisitAsync(async visit =>
    {
        await visit.EnterUrlAsync("holiday.jpg");

        Assert.Contains("http://", await visit.TextAsync("#url-error"), StringComparison.Ordinal);
        Assert.Empty(visit.Detections);
    });
}
