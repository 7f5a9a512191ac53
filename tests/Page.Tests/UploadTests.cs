using System.Text.Json;

namespace Detection.Page.Tests;

/// <summary>A picture is sent, and its boxes appear at the places of the answer.</summary>
public class UploadTests(PageSite site)
{
    [Theory]
    [InlineData("/")]
    [InlineData("/detectConsult")]
    public Task Chosen_photo_gets_its_boxes(string path) => site.VisitAsync(
        async visit =>
        {
            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();

            var (_, answer) = await site.AskAsync(Photos.People);
            var expected = Boxes(answer).Where(box => box.Score >= 0.4).ToList();
            var drawn = await visit.BoxesAsync();
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Count, drawn.Count);

            var scale = await visit.EvaluateAsync<double>("document.getElementById('picture').getBoundingClientRect().width")
                / answer.GetProperty("width").GetDouble();
            Assert.All(expected.Zip(drawn), pair =>
            {
                Assert.Equal(pair.First.X1 * scale, pair.Second.X, 2.0);
                Assert.Equal(pair.First.Y1 * scale, pair.Second.Y, 2.0);
                Assert.Equal((pair.First.X2 - pair.First.X1) * scale, pair.Second.Width, 2.0);
                Assert.Equal((pair.First.Y2 - pair.First.Y1) * scale, pair.Second.Height, 2.0);
            });
            Assert.Contains("person", await visit.TextAsync(".findings"), StringComparison.Ordinal);
            Assert.Contains("Round trip", await visit.TextAsync(".timings"), StringComparison.Ordinal);
        },
        path: path);

    [Fact]
    public Task Photo_with_EXIF_rotation_is_shown_upright_under_its_boxes() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.OnItsSide);
        await visit.AnsweredAsync();

        var (_, answer) = await site.AskAsync(Photos.OnItsSide);
        var shown = await visit.EvaluateAsync<double[]>(
            "[document.getElementById('picture').naturalWidth, document.getElementById('picture').naturalHeight]");
        Assert.Equal([answer.GetProperty("width").GetDouble(), answer.GetProperty("height").GetDouble()], shown);
        var aspect = await visit.EvaluateAsync<double>(
            "(({ width, height }) => width / height)(document.getElementById('overlay').getBoundingClientRect())");
        Assert.Equal(shown[0] / shown[1], aspect, 0.02);
    });

    [Fact]
    public Task Several_photos_wait_in_a_strip_and_each_can_be_shown() => site.VisitAsync(async visit =>
    {
        using var folder = new TemporaryFolder();
        var paths = Enumerable.Range(0, 4).Select(i => folder.Write($"photo-{i}.jpg", TestPictures.Unique(7000 + i))).ToArray();

        await visit.ChooseAsync(paths);
        await visit.SeenAsync("document.querySelectorAll('.thumb[data-state=done]').length === 4");
        Assert.Equal(4, visit.Detections.Count());
        Assert.Contains("photo-0.jpg", await visit.TextAsync(".summary"), StringComparison.Ordinal);

        await visit.Page.ClickAsync("#strip li:nth-child(3) button");
        await visit.AnsweredAsync();
        Assert.Contains("photo-2.jpg", await visit.TextAsync(".summary"), StringComparison.Ordinal);
        Assert.Equal(4, visit.Detections.Count());

        await visit.Page.ClickAsync("#strip .clear");
        Assert.Equal("empty", await visit.EvaluateAsync<string>("document.body.dataset.state"));
    });

    [Fact]
    public Task Layout_does_not_move_when_the_answer_arrives() => site.VisitAsync(async visit =>
    {
        // The places of all parts of stage and panel, in every frame from the first picture on.
        await visit.EvaluateAsync<object>("""
            (() => {
              window.places = new Set();
              const look = () => {
                if (document.body.dataset.state === 'pictures') {
                  window.places.add(['stage', 'panel', 'strip'].map((id) => JSON.stringify(document.getElementById(id).getBoundingClientRect())).join());
                }
                requestAnimationFrame(look);
              };
              look();
            })()
            """);
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        await visit.SeenAsync("document.querySelector('#overlay .box') !== null");

        Assert.Equal(1, await visit.EvaluateAsync<int>("window.places.size"));
    });

    internal static IEnumerable<(double Score, string Label, double X1, double Y1, double X2, double Y2)> Boxes(JsonElement answer) =>
        answer.GetProperty("boxes").EnumerateArray().Select(box => (
            box.GetProperty("score").GetDouble(),
            box.GetProperty("label").GetString()!,
            box.GetProperty("x1").GetDouble(),
            box.GetProperty("y1").GetDouble(),
            box.GetProperty("x2").GetDouble(),
            box.GetProperty("y2").GetDouble()));
}
