namespace Detection.Page.Tests;

/// <summary>Pictures that stay after a reload, and links to results.</summary>
public class KeptTests(PageSite site)
{
    [Fact]
    public Task Reload_keeps_pictures_answers_and_threshold() => site.VisitAsync(async visit =>
    {
        using var folder = new TemporaryFolder();
        var photo = folder.Write("mine.jpg", TestPictures.Unique(8101));
        await visit.ChooseAsync(Photos.People, photo);
        await visit.EnterUrlAsync(site.PhotoUrl.ToString());
        await visit.SeenAsync("document.querySelectorAll('.thumb[data-state=done]').length === 3");
        await visit.Page.ClickAsync("#strip li:first-child .thumb");
        await visit.SlideAsync("ArrowRight");
        await visit.SeenAsync("document.querySelectorAll('#overlay .box').length > 0");
        var boxes = await visit.BoxesAsync();
        await KeptAsync(visit, 3);
        var asked = visit.Detections.Count();

        await visit.Page.ReloadAsync();
        await visit.AnsweredAsync();
        await visit.SeenAsync("document.querySelectorAll('.thumb[data-state=done]').length === 3");
        Assert.Contains("walkers.webp", await visit.TextAsync(".summary"), StringComparison.Ordinal);
        Assert.Equal("41%", await visit.TextAsync(".threshold output"));
        Assert.Equal(boxes.Count, (await visit.BoxesAsync()).Count);
        Assert.Equal(asked, visit.Detections.Count());

        // A fetched picture is shown again too; a removed picture does not return.
        await visit.Page.ClickAsync("#strip li:last-child .thumb");
        await visit.AnsweredAsync();
        await visit.Page.FocusAsync("#strip li:first-child .remove");
        await visit.Page.Keyboard.PressAsync("Enter");
        await KeptAsync(visit, 2);
        await visit.Page.ReloadAsync();
        await visit.SeenAsync("document.querySelectorAll('.thumb[data-state=done]').length === 2");
        await visit.Page.ClickAsync(".clear");
        await KeptAsync(visit, 0);
        await visit.Page.ReloadAsync();
        await visit.Page.WaitForSelectorAsync("#threshold");
        Assert.Equal("empty", await visit.EvaluateAsync<string>("document.body.dataset.state"));
    });

    [Fact]
    public Task Page_without_storage_detects() => site.VisitAsync(async visit =>
    {
        // As in private windows.
        await visit.Page.EvaluateFunctionOnNewDocumentAsync("() => { IDBFactory.prototype.open = () => { throw new DOMException('No.', 'InvalidStateError'); }; }");
        await visit.Page.ReloadAsync();
        await visit.Page.WaitForSelectorAsync("#threshold");
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        Assert.NotEmpty(await visit.BoxesAsync());
    });

    [Fact]
    public Task Link_opened_in_another_browser_shows_the_same_result() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        await visit.SlideAsync("ArrowRight"); // 0.41
        var link = await LinkAsync(visit);

        await site.VisitAsync(
            async other =>
            {
                await other.AnsweredAsync();
                Assert.Equal("41%", await other.TextAsync(".threshold output"));
                Assert.Equal((await visit.BoxesAsync()).Count, (await other.BoxesAsync()).Count);
                Assert.Empty(other.Detections);

                // A link without a result shows a problem, and the page continues.
                await other.EvaluateAsync<object>($"location.hash = 'picture={new string('0', 64)}'");
                await other.SeenAsync("!document.getElementById('problem').hidden");
                Assert.Contains("has expired", await other.TextAsync("#problem"), StringComparison.Ordinal);
                await other.ChooseAsync(Photos.OnItsSide);
                await other.AnsweredAsync();
            },
            path: "/" + link.Fragment);
    });

    [Fact]
    public async Task Link_whose_picture_has_expired_says_so_beside_its_result()
    {
        Chromium.Require();
        await using var cluster = await DetectionCluster.StartAsync(silos: 1);
        await using var redis = await cluster.Redis.ConnectAsync();
        await site.VisitAsync(cluster.Frontends[0], async visit =>
        {
            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();
            var link = await LinkAsync(visit);
            Assert.Contains("The picture expires sooner", await visit.TextAsync(".message"), StringComparison.Ordinal);
            await redis.GetDatabase().KeyDeleteAsync($"detection:picture:{TestPictures.ImageKey(await File.ReadAllBytesAsync(Photos.People))}");

            await site.VisitAsync(
                cluster.Frontends[0],
                async other =>
                {
                    const string Says = "document.getElementById('stage-status').textContent.includes('has expired on the server')";
                    await other.SeenAsync(Says);
                    Assert.Contains("object", await other.TextAsync(".summary"), StringComparison.Ordinal);
                    await KeptAsync(other, 1);
                    await other.Page.ReloadAsync();
                    await other.SeenAsync(Says);
                    await other.ChooseAsync(Photos.OnItsSide);
                    await other.AnsweredAsync();
                },
                path: "/" + link.Fragment);
        });
    }

    [Fact]
    public Task Link_needs_a_key_when_the_server_requires_one() => site.VisitGuardedAsync(async visit =>
    {
        await visit.EnterKeyAsync(PageSite.Key);
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        var link = await LinkAsync(visit);

        await site.VisitGuardedAsync(
            async other =>
            {
                await other.EnterKeyAsync(PageSite.Key);
                await other.AnsweredAsync();
                Assert.Equal((await visit.BoxesAsync()).Count, (await other.BoxesAsync()).Count);
            },
            path: "/" + link.Fragment);
    });

    private static async Task<Uri> LinkAsync(Visit visit)
    {
        await visit.EvaluateAsync<object>("""
            Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (text) => { window.copied = text; } } })
            """);
        await visit.Page.ClickAsync(".downloads .button:nth-child(3)");
        await visit.SeenAsync("document.querySelector('.message').textContent.includes('Link copied')");
        return new Uri(await visit.EvaluateAsync<string>("window.copied"));
    }

    private static async Task KeptAsync(Visit visit, int count) => await visit.Page.WaitForFunctionAsync(
        """
        (count) => new Promise((resolve) => {
          const open = indexedDB.open('detection', 1);
          open.onsuccess = () => {
            const all = open.result.transaction('pictures').objectStore('pictures').getAll();
            all.onsuccess = () => {
              open.result.close();
              resolve(all.result.length === count && all.result.every(({ answer }) => answer !== null));
            };
          };
        })
        """,
        new PuppeteerSharp.WaitForFunctionOptions { PollingInterval = 100 },
        count);
}
