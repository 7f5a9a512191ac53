using System.Text;
using System.Text.Json;

namespace Detection.Page.Tests;

/// <summary>Files in formats that the server does not read.</summary>
public class FileKindTests(PageSite site)
{
    [Fact]
    public Task Picture_that_only_the_browser_reads_is_converted_before_it_is_sent() => site.VisitAsync(async visit =>
    {
        using var folder = new TemporaryFolder();
        var drawing = folder.Write("drawing.svg", "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"320\" height=\"200\"><rect width=\"90\" height=\"90\"/></svg>"u8.ToArray());
        await visit.ChooseAsync(Photos.Avif, drawing);
        await visit.AnsweredAsync();
        Assert.Contains("160 × 112", await visit.TextAsync(".summary"), StringComparison.Ordinal);
        await visit.SeenAsync("document.querySelectorAll('.thumb[data-state=done]').length === 2");

        // The colours are right: the browser itself found a cat.
        var difference = await visit.Page.EvaluateFunctionAsync<double>("""
            async (base64) => {
              const pixels = async (address) => {
                const image = new Image();
                image.src = address;
                await image.decode();
                const canvas = document.createElement('canvas');
                [canvas.width, canvas.height] = [160, 112];
                const pen = canvas.getContext('2d');
                pen.drawImage(image, 0, 0);
                return pen.getImageData(0, 0, 160, 112).data;
              };
              const [shown, wanted] = [await pixels(document.getElementById('picture').src), await pixels(`data:image/png;base64,${base64}`)];
              return shown.reduce((sum, value, at) => sum + Math.abs(value - wanted[at]), 0) / shown.length;
            }
            """, Convert.ToBase64String(await File.ReadAllBytesAsync(TestPictures.Path("edge/upright.png"))));
        Assert.InRange(difference, 0.01, 4);

        await visit.Page.ClickAsync("#strip li:last-child .thumb");
        await visit.SeenAsync("document.querySelector('.summary').innerText.includes('320 × 200')");
    });

    [Theory]
    [InlineData("holiday.pdf", "%PDF-1.7 and more", "A PDF is not a picture", "screenshot")]
    [InlineData("photo.jpg", "%PDF-1.7 and more", "A PDF is not a picture", "screenshot")]
    [InlineData("film.mp4", "\0\0\0\u0018ftypisom\0\0\0\0isomiso2", "A video is not a picture", "screenshot")]
    [InlineData("film.mp4", "\u0001\u0002\u0003 unknown bytes", "A video is not a picture", "screenshot")]
    [InlineData("notes.txt", "Buy milk", "A text file is not a picture", "Choose a picture")]
    [InlineData("d.json", "{\"url\":\"http://127.0.0.1:1/a.jpg\"}", "A text file is not a picture", "address in the field")]
    [InlineData("letter.docx", "PK\u0003\u0004 and more", "This is a document or an archive", "Take the pictures out")]
    [InlineData("IMG_0001.HEIC", "\0\0\0\u0018ftypheic\0\0\0\0mif1heic", "This browser cannot show HEIC pictures", "as JPEG")]
    public Task File_that_is_not_a_picture_shows_a_problem_and_is_not_sent(string name, string content, string title, string advice) =>
        site.VisitAsync(async visit =>
        {
            using var folder = new TemporaryFolder();
            await visit.ChooseAsync(folder.Write(name, Encoding.Latin1.GetBytes(content)));

            var problem = await visit.ProblemAsync();
            Assert.Contains(title, problem, StringComparison.Ordinal);
            Assert.Contains(advice, problem, StringComparison.Ordinal);
            Assert.DoesNotContain("HTTP", problem, StringComparison.Ordinal);
            Assert.DoesNotContain("Try again", problem, StringComparison.Ordinal);
            Assert.Empty(visit.Detections);
            Assert.False(await visit.EvaluateAsync<bool>("document.getElementById('threshold').checkVisibility() || document.querySelector('.timings').checkVisibility()"));

            // Then a valid picture.
            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();
            Assert.NotEmpty(await visit.BoxesAsync());
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('threshold').checkVisibility()"));
        });

    [Fact]
    public Task File_of_an_unknown_kind_is_sent_as_a_picture_and_never_as_a_request() => site.VisitAsync(async visit =>
    {
        using var folder = new TemporaryFolder();
        await visit.ChooseAsync(folder.Write("d.json", [.. "{\"url\":\"http://127.0.0.1:1/a.jpg\"}"u8, 0]));
        var (_, wanted) = await site.AskAsync(Photos.Text);
        Assert.Contains(wanted.GetProperty("title").GetString()!, await visit.ProblemAsync(), StringComparison.Ordinal);
        Assert.Equal("application/octet-stream", Assert.Single(visit.Detections).Headers["content-type"]);
    });

    [Fact]
    public Task Retry_is_offered_only_for_transient_problems() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.Truncated);
        Assert.DoesNotContain("Try again", await visit.ProblemAsync(), StringComparison.Ordinal);
        await visit.EnterUrlAsync("http://127.0.0.1:1/closed.jpg");
        await visit.SeenAsync("document.querySelectorAll('.thumb[data-state=failed]').length === 2");
        Assert.DoesNotContain("Try again", await visit.ProblemAsync(), StringComparison.Ordinal);

        await visit.Page.SetOfflineModeAsync(true);
        await visit.ChooseAsync(Photos.People);
        await visit.SeenAsync("document.getElementById('problem').innerText.includes('No connection')");
        Assert.Contains("Try again", await visit.TextAsync("#problem"), StringComparison.Ordinal);
        await visit.Page.SetOfflineModeAsync(false);
        await visit.Page.ClickAsync("#problem .primary");
        await visit.AnsweredAsync();
        visit.Forgive("ERR_INTERNET_DISCONNECTED");
    });

    [Fact]
    public Task Sample_picture_is_detected() => site.VisitAsync(async visit =>
    {
        await visit.Page.ClickAsync("#sample");
        await visit.AnsweredAsync();
        var (_, answer) = await site.AskAsync(TestPictures.Path("tourist.webp"));
        Assert.Equal(UploadTests.Boxes(answer).Count(box => box.Score >= 0.4), (await visit.BoxesAsync()).Count);
        Assert.Contains("person", await visit.TextAsync(".findings"), StringComparison.Ordinal);
    });

    [Fact]
    public Task Times_of_a_cached_answer_agree() => site.VisitAsync(async visit =>
    {
        await site.AskAsync(Photos.People);
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();

        // The durations of this request are separate from those of the earlier one, and no stage is longer than its total.
        Assert.Contains("from the cache", await visit.TextAsync(".timings summary"), StringComparison.Ordinal);
        var apart = await visit.TextAsync(".timings .apart");
        Assert.Contains("Total on the server", apart, StringComparison.Ordinal);
        Assert.DoesNotContain("queue", apart, StringComparison.Ordinal);
        Assert.Contains("earlier request", await visit.TextAsync(".timings .apart + .note"), StringComparison.Ordinal);
        Assert.DoesNotContain("Total", await visit.TextAsync(".timings .spans + dl"), StringComparison.Ordinal);
    });

    [Fact]
    public Task Labels_of_overlapping_boxes_are_counted_in_one_tag_and_leave_the_picture_visible() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        await visit.SlideAsync("Home");

        var tags = await visit.EvaluateAsync<JsonElement>("""
            (() => {
              const picture = document.getElementById('picture').getBoundingClientRect();
              const shown = [...document.querySelectorAll('#overlay .tag:not(.hidden-tag)')].map((tag) => ({ text: tag.textContent, rect: tag.querySelector('rect').getBoundingClientRect() }));
              const area = shown.reduce((sum, { rect }) => sum + rect.width * rect.height, 0);
              const meet = shown.some((a, at) => shown.some((b, other) => other > at
                && a.rect.left < b.rect.right - 1 && b.rect.left < a.rect.right - 1 && a.rect.top < b.rect.bottom - 1 && b.rect.top < a.rect.bottom - 1));
              return { boxes: document.querySelectorAll('#overlay .box').length, texts: shown.map(({ text }) => text), share: area / (picture.width * picture.height), meet };
            })()
            """);
        Assert.True(tags.GetProperty("boxes").GetInt32() > 40, "The photo has too few boxes for this test.");
        Assert.False(tags.GetProperty("meet").GetBoolean());
        Assert.InRange(tags.GetProperty("share").GetDouble(), 0.01, 0.07);
        Assert.Contains(tags.GetProperty("texts").EnumerateArray(), static text => text.GetString()!.Contains('+', StringComparison.Ordinal));

        // Boxes with high scores always have a tag.
        await visit.SlideAsync("End");
        await visit.Page.EvaluateFunctionAsync("() => { const slider = document.getElementById('threshold'); slider.value = '0.4'; slider.dispatchEvent(new Event('input')); }");
        Assert.Equal((await visit.BoxesAsync()).Count, await visit.EvaluateAsync<int>("document.querySelectorAll('#overlay .tag:not(.hidden-tag)').length"));
    });
}
