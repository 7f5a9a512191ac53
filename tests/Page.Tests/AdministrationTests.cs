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
                Assert.Contains("Other silos process them", await visit.TextAsync("#drain"), StringComparison.Ordinal);
                Assert.DoesNotContain("No other silo", await visit.TextAsync("#drain"), StringComparison.Ordinal);
                await visit.Page.ClickAsync("#drain-no");
                Assert.False(await visit.EvaluateAsync<bool>("document.getElementById('drain').open"));
                Assert.DoesNotContain("requested a drain", cluster.Frontends[0].Process.Log, StringComparison.Ordinal);
                await visit.Page.ClickAsync(drain);
                await visit.Page.ClickAsync("#drain-yes");
                await visit.SeenAsync("document.querySelector('#admin-silos > li').innerText.includes('drained; restart')");
                await visit.SeenAsync("document.getElementById('subline').textContent.includes('1 device')");
                Assert.Contains("drained", await visit.TextAsync(".silo .device .line"), StringComparison.Ordinal);
                Assert.Equal("admin-said", await visit.EvaluateAsync<string>("document.activeElement.id"));

                // The other silo is now the only one, which the page says before it drains, and after it why there are no models.
                await visit.SeenAsync("document.getElementById('admin-models').innerText.includes('served by 1 silo')");
                Assert.False(await visit.EvaluateAsync<bool>("document.getElementById('admin-no-models').checkVisibility()"));
                await visit.Page.ClickAsync("#admin-silos > li:nth-child(2) button");
                var asked = await visit.TextAsync("#drain");
                Assert.Contains("No other silo serves", asked, StringComparison.Ordinal);
                Assert.Contains("nanodet-g", asked, StringComparison.Ordinal);
                Assert.DoesNotContain("Other silos process them", asked, StringComparison.Ordinal);
                await AssertAxeAsync(visit, "asking before it drains the last silo");
                await visit.Page.ClickAsync("#drain-yes");
                await visit.SeenAsync("document.getElementById('admin-no-models').checkVisibility()");
                Assert.Contains("every silo is drained", await visit.TextAsync("#admin-no-models"), StringComparison.Ordinal);
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

    [Fact]
    public Task Key_that_is_not_enough_is_refused_with_the_reason() => site.VisitGuardedManagementAsync(async visit =>
    {
        const string Button = "document.getElementById('administer').textContent";
        await visit.SeenAsync("!document.getElementById('administer-card').hidden");
        Assert.Equal("Administer with a key", await visit.EvaluateAsync<string>(Button));
        await visit.Page.ClickAsync("#administer");

        await visit.EnterKeyAsync("a-key-that-is-not-known");
        await visit.SeenAsync("document.getElementById('key-error').textContent.includes('does not know this key') && !document.getElementById('key-form').hidden");
        await visit.EnterKeyAsync(PageSite.Key);
        await visit.SeenAsync("document.getElementById('key-error').textContent.includes(\"The key 'page' may not administer\") && !document.getElementById('key-form').hidden");
        Assert.Equal("true", await visit.EvaluateAsync<string>("document.getElementById('key').getAttribute('aria-invalid')"));
        Assert.Equal("Administer with another key", await visit.EvaluateAsync<string>(Button));
        await visit.EnterKeyAsync(PageSite.AdministratorKey);
        await visit.SeenAsync(Shown);
        Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').hidden"));
    });

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
            Assert.Equal(0, await visit.BeyondAsync("#charts"));

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
