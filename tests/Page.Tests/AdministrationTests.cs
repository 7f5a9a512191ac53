namespace Detection.Page.Tests;

/// <summary>What administrators do on the page <c>/status</c>.</summary>
public class AdministrationTests(PageSite site)
{
    private const string Path = "/status";
    private const string Shown = "!document.getElementById('administration').hidden";

    [Fact]
    public async Task Administrator_retries_a_model_drains_a_silo_and_sees_dead_letters()
    {
        Chromium.Require();
        using var models = new ModelFolder();
        models.Lay("nanodet-g");
        models.Lay("broken");
        var file = System.IO.Path.Combine(models.Path, "broken", "model.onnx");
        var good = await File.ReadAllBytesAsync(file);
        await File.WriteAllTextAsync(file, "this is not a model");
        await using var cluster = await DetectionCluster.StartAsync(silos: 2, settings: models.Settings.ToDictionary(static one => one.Name.Replace(":", "__", StringComparison.Ordinal), static one => (string?)one.Value));
        await using var redis = await cluster.Redis.ConnectAsync();
        var names = (await cluster.Frontends[0].Http.GetStringAsync(new Uri("/v1/status", UriKind.Relative))).Split("\"silos\":[")[1];
        var model = System.Text.RegularExpressions.Regex.Match(names, "nanodet-g@[0-9a-f]{12}").Value;
        var picture = TestPictures.Unique(1);
        var (kept, expired) = (TestPictures.ImageKey(picture), TestPictures.ImageKey(TestPictures.Unique(2)));
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await redis.GetDatabase().ListLeftPushAsync($"detection:{{{model}}}:dead", [$"{expired}|device|3|{now - 5000}", $"{kept}|poison|3|{now}"]);
        await redis.GetDatabase().StringSetAsync($"detection:picture:{kept}", picture, TimeSpan.FromHours(1));

        await site.VisitAsync(
            cluster.Frontends[0],
            async visit =>
            {
                await visit.SeenAsync(Shown);
                await visit.SeenAsync("document.getElementById('admin-models').innerText.includes('not an ONNX model')");
                Assert.Contains("served by 2 silos", await visit.TextAsync("#admin-models"), StringComparison.Ordinal);

                // Only what has a problem can be retried.
                Assert.True(await visit.EvaluateAsync<bool>("document.querySelector('[aria-label=\"Retry nanodet-g\"]').hidden"));
                await visit.Page.ClickAsync("[aria-label='Retry broken']");
                await visit.SeenAsync("(document.getElementById('admin-said').textContent.match(/retrying now/g) ?? []).length === 2");
                await File.WriteAllBytesAsync(file, good);
                await visit.SeenAsync("document.querySelector('[aria-label=\"Retry broken\"]').hidden");
                Assert.Equal("admin-said", await visit.EvaluateAsync<string>("document.activeElement.id"));

                // Dead letters, newest first, with the picture where it is kept.
                await visit.SeenAsync("document.querySelectorAll('#admin-items > li').length === 2");
                Assert.Contains($"{kept[..8]}…", await visit.TextAsync("#admin-items > li:nth-child(1)"), StringComparison.Ordinal);
                Assert.Contains("picture expired", await visit.TextAsync("#admin-items > li:nth-child(2)"), StringComparison.Ordinal);
                await visit.Page.ClickAsync($"[aria-label='Show picture {kept[..8]}']");
                await visit.SeenAsync("document.querySelector('#admin-items img')?.naturalWidth > 0");
                await AssertAxeAsync(visit, "with a picture");
                await visit.Page.ClickAsync($"[aria-label='Show picture {kept[..8]}']");
                await visit.SeenAsync("document.querySelector('#admin-items img') === null");

                // Not without a second thought.
                var drain = "#admin-silos > li:nth-child(1) button";
                await visit.Page.ClickAsync(drain);
                await visit.SeenAsync("document.getElementById('drain').open && document.activeElement.id === 'drain-no'");
                await visit.Page.ClickAsync("#drain-no");
                Assert.False(await visit.EvaluateAsync<bool>("document.getElementById('drain').open"));
                Assert.DoesNotContain("requested a drain", cluster.Frontends[0].Process.Log, StringComparison.Ordinal);
                await visit.Page.ClickAsync(drain);
                await visit.Page.ClickAsync("#drain-yes");
                await visit.SeenAsync("document.querySelector('#admin-silos > li').innerText.includes('drained; restart')");
                await visit.SeenAsync("document.getElementById('subline').textContent.includes('1 device')");
                Assert.Contains("drained", await visit.TextAsync(".silo .device .line"), StringComparison.Ordinal);
                Assert.Equal("admin-said", await visit.EvaluateAsync<string>("document.activeElement.id"));
            },
            path: Path);
    }

    [Fact]
    public Task Other_keys_are_not_offered_what_they_may_not_do() => site.VisitGuardedAsync(
        async visit =>
        {
            await visit.EnterKeyAsync(PageSite.Key);
            await visit.SeenAsync("!document.getElementById('administer-card').hidden");
            Assert.False(await visit.EvaluateAsync<bool>(Shown));

            await visit.Page.ClickAsync("#administer");
            await visit.SeenAsync("document.getElementById('key-error').textContent.includes('administrator')");
            await visit.EnterKeyAsync(PageSite.AdministratorKey);
            await visit.SeenAsync(Shown);
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('administer-card').hidden"));
            Assert.Equal("administration-title", await visit.EvaluateAsync<string>("document.activeElement.id"));
            Assert.Contains("served by 1 silo", await visit.TextAsync("#admin-models"), StringComparison.Ordinal);
        },
        path: Path);

    [Theory]
    [InlineData("light", 320)]
    [InlineData("dark", 375)]
    [InlineData("forced", 1280)]
    public Task Axe_finds_nothing_and_nothing_is_cut_off(string colours, int width) => site.VisitAsync(
        async visit =>
        {
            await (colours == "forced" ? visit.ForceColoursAsync() : visit.PreferAsync(colours));
            await visit.SeenAsync(Shown);
            await AssertAxeAsync(visit, "administration");
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());

            await visit.Page.ClickAsync("#admin-silos button");
            await visit.SeenAsync("document.getElementById('drain').open");
            await AssertAxeAsync(visit, "asking before it drains");
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());
            Assert.True(await visit.EvaluateAsync<bool>("(({ left, right }) => left >= 0 && right <= innerWidth)(document.getElementById('drain').getBoundingClientRect())"));
            await visit.Page.Keyboard.PressAsync("Escape");
            await visit.SeenAsync("!document.getElementById('drain').open");
        },
        new Screen(width, 800, 1, Touch: width < 500),
        Path);

    private static async Task AssertAxeAsync(Visit visit, string state)
    {
        var found = await visit.AxeAsync();
        Assert.True(found.Count == 0, $"Axe, {state}: {string.Join('\n', found)}");
    }
}
