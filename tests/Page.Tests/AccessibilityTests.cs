namespace Detection.Page.Tests;

/// <summary>Checks of axe, in each state of each page, on narrow and wide screens, in all colour schemes.</summary>
public class AccessibilityTests(PageSite site)
{
    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("forced")]
    public Task Axe_finds_nothing_on_the_page(string colours) => site.VisitAsync(async visit =>
    {
        await ColourAsync(visit, colours);
        await AssertAsync(visit, "empty");
        await visit.EnterUrlAsync("holiday.jpg");
        await AssertAsync(visit, "with an address that is none");

        await visit.ChooseAsync(Photos.People, Photos.Text);
        await visit.AnsweredAsync();
        await AssertAsync(visit, "with an answer");
        await visit.SlideAsync("Home");
        await AssertAsync(visit, "at the lowest score");
        await visit.SeenAsync("document.querySelector('.thumb[data-state=failed]') !== null");
        await visit.Page.ClickAsync(".thumb[data-state=failed]");
        await visit.ProblemAsync();
        await AssertAsync(visit, "with a problem");
    });

    [Theory]
    [InlineData(320, 640)]
    [InlineData(375, 667)]
    [InlineData(667, 375)]
    [InlineData(768, 1024)]
    public Task Axe_finds_nothing_on_smaller_screens_and_nothing_is_cut_off(int width, int height) => site.VisitGuardedAsync(
        async visit =>
        {
            await visit.SeenAsync("!document.getElementById('key-form').hidden");
            await AssertAsync(visit, "with the field for the key");
            await visit.EnterKeyAsync(PageSite.Key);
            await visit.SeenAsync("!document.getElementById('model-field').hidden");
            await AssertAsync(visit, "empty");
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('model').getBoundingClientRect().width >= 80"), "The names of the models are cut off.");

            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();
            await AssertAsync(visit, "with an answer");
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());
            Assert.Equal(0, await visit.BeyondAsync(".panel"));
            Assert.True(
                await visit.EvaluateAsync<bool>("(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.getElementById('picture').getBoundingClientRect())"),
                "The picture is not in sight.");
        },
        new Screen(width, height, 1, Touch: true));

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("forced")]
    public Task Axe_finds_nothing_on_the_status_page(string colours) => site.VisitAsync(
        async visit =>
        {
            await ColourAsync(visit, colours);
            await visit.SeenAsync("document.querySelector('.silo .device') !== null");
            await visit.Page.ClickAsync(".glossary summary");
            await AssertAsync(visit, "with a silo");
        },
        path: "/status");

    [Fact]
    public Task Axe_finds_nothing_on_the_page_that_says_not_found() => site.VisitAsync(visit => AssertAsync(visit, "not found"), path: "/nothing-here");

    [Fact]
    public Task Drawings_are_visible_in_forced_colours() => site.VisitAsync(async visit =>
    {
        await visit.ForceColoursAsync();
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();

        // A screenshot of each has more than one colour.
        foreach (var drawn in (string[])["#threshold", ".chip", ".object .bar", ".spans", ".timings dt i:not(.void)"])
        {
            var shot = Convert.ToBase64String(await (await visit.Page.QuerySelectorAsync(drawn)).ScreenshotDataAsync());
            var colours = await visit.Page.EvaluateFunctionAsync<int>("""
                async (base64) => {
                  const image = new Image();
                  image.src = `data:image/png;base64,${base64}`;
                  await image.decode();
                  const canvas = new OffscreenCanvas(image.width, image.height);
                  const pen = canvas.getContext('2d');
                  pen.drawImage(image, 0, 0);
                  return new Set(new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer)).size;
                }
                """, shot);
            Assert.True(colours > 1, $"'{drawn}' is one colour.");
        }
    });

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    public Task Axe_finds_nothing_on_the_page_of_the_API(string colours) => site.VisitAsync(
        async visit =>
        {
            await visit.PreferAsync(colours);
            await visit.Page.ReloadAsync();
            await visit.SeenAsync("document.body.innerText.includes('/v1/detections/batch')");
            await AssertAsync(visit, "the API");
        },
        path: "/docs");

    private static Task ColourAsync(Visit visit, string colours) => colours == "forced" ? visit.ForceColoursAsync() : visit.PreferAsync(colours);

    private static async Task AssertAsync(Visit visit, string state)
    {
        var found = await visit.AxeAsync();
        Assert.True(found.Count == 0, $"Axe, {state}: {string.Join('\n', found)}");
    }
}
