using System.Net;

namespace Detection.Page.Tests;

/// <summary>The page <c>/status</c> shows the state of the cluster to people who do not know its details.</summary>
public class StatusTests(PageSite site)
{
    private const string Path = "/status";

    private static int _pictures = 9000;

    [Fact]
    public Task Status_numbers_change_while_pictures_are_detected_and_return_to_zero() => site.VisitAsync(
        async visit =>
        {
            await visit.SeenAsync("document.getElementById('headline').textContent === 'Ready, nothing to do'");
            Assert.Equal("0", await visit.TextAsync("#rate"));
            Assert.Equal("–", await visit.TextAsync("#usual"));
            var device = (await site.ReadAsync("/v1/status")).GetProperty("silos")[0].GetProperty("devices")[0];
            Assert.Contains(device.GetProperty("description").GetString()!, await visit.TextAsync(".silo .what"), StringComparison.Ordinal);
            Assert.Equal(PageSite.SiloName, await visit.TextAsync(".silo header b"));

            await WhileDetectingAsync(async () =>
            {
                await visit.SeenAsync("document.getElementById('headline').textContent === 'At work'");
                await visit.SeenAsync("Number(document.getElementById('waiting').textContent) > 0");
                await visit.SeenAsync("document.querySelectorAll('.places .on').length > 0");
                await visit.SeenAsync("document.querySelectorAll('.slots .on').length > 0");
                await visit.SeenAsync("Number(document.querySelector('.gauge').getAttribute('aria-valuenow')) > 0");
                await visit.SeenAsync("Number(document.getElementById('rate').textContent) > 0");
                await visit.SeenAsync("document.getElementById('road-out').classList.contains('moving')");
                await visit.SeenAsync("/\\d m?s/.test(document.getElementById('usual').textContent)");
                await visit.SeenAsync("/\\d m?s/.test(document.getElementById('slow').textContent)");
                await visit.SeenAsync("/\\d a second/.test(document.getElementById('possible').textContent)");

                // Numbers that are shown twice are equal, and the capacity is at least the throughput.
                var numbers = await visit.EvaluateAsync<double[]>("""
                    (() => {
                      const number = (selector) => Number.parseFloat(document.querySelector(selector).textContent);
                      return [number('#rate'), number('.chart:nth-child(1) .values'), number('#possible'), Number(document.querySelector('.gauge').getAttribute('aria-valuenow'))];
                    })()
                    """);
                Assert.Equal(numbers[0], numbers[1]);
                Assert.True(numbers[2] >= numbers[0], $"{numbers[0]} are answered, {numbers[2]} could be.");
                Assert.Equal(
                    await visit.TextAsync("#usual"),
                    await visit.EvaluateAsync<string>("document.querySelector('.chart:nth-child(2) .values .key').innerText.trim()"));

                // Busy all the time: the capacity equals the throughput.
                await visit.SeenAsync("""
                    Number(document.querySelector('.gauge').getAttribute('aria-valuenow')) < 95
                      || Number.parseFloat(document.getElementById('possible').textContent) < 1.4 * Number.parseFloat(document.getElementById('rate').textContent)
                    """);

                // The curves of the last minutes: throughput, latency, batch fill.
                await visit.SeenAsync("Number(document.querySelector('.chart:nth-child(1) .values').textContent) > 0");
                await visit.SeenAsync("(document.querySelector('.chart:nth-child(2) .values').textContent.match(/\\d m?s/g) ?? []).length === 2");
                await visit.SeenAsync("/\\d of at most \\d/.test(document.querySelector('.chart:nth-child(3) .values').textContent)");
                await visit.SeenAsync("[...document.querySelectorAll('.chart .stroke')].every((line) => line.getBBox().height > 0 && line.getTotalLength() > 1)");
            });

            await visit.SeenAsync("document.getElementById('rate').textContent === '0' && document.getElementById('waiting').textContent === '0'");
            await visit.SeenAsync("document.querySelectorAll('.places .on, .slots .on').length === 0");
        },
        path: Path);

    [Fact]
    public Task Failed_picture_is_in_the_recent_failures_with_its_reason() => site.VisitAsync(
        async visit =>
        {
            var key = await FailAsync();

            await visit.SeenAsync($"document.getElementById('failures').textContent.includes('{key}')");
            var row = await visit.TextAsync("#failures li");
            Assert.Contains("A damaged picture", row, StringComparison.Ordinal);
            Assert.Contains("truncated", row, StringComparison.Ordinal);
            Assert.Contains(" s ago", row, StringComparison.Ordinal);
            Assert.Contains($"{PageSite.SiloName}/", row, StringComparison.Ordinal);
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('no-failures').hidden"));

            // Only the last failures are visible; the others after a click.
            for (var i = 0; i < 5; i++)
            {
                await FailAsync();
            }

            await visit.SeenAsync($"document.getElementById('earlier-failures').textContent.includes('{key}')");
            await visit.Page.ClickAsync("#earlier summary");
            Assert.Contains(key, await visit.TextAsync("#earlier"), StringComparison.Ordinal);
        },
        path: Path);

    [Fact]
    public Task Status_page_fits_the_width_of_a_phone() => site.VisitAsync(
        async visit =>
        {
            await FailAsync();
            await visit.SeenAsync("document.querySelector('#failures li') !== null");
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());
            await visit.Page.ClickAsync(".glossary summary");
            await WhileDetectingAsync(async () =>
            {
                await visit.SeenAsync("document.querySelectorAll('.slots .on').length > 0");
                Assert.Equal(0, await visit.BeyondTheEdgeAsync());
            });
        },
        Screen.Phone,
        Path);

    [Fact]
    public async Task Status_shows_silos_that_start_and_stop_and_a_server_without_connection()
    {
        Chromium.Require();
        await using var cluster = await DetectionCluster.StartAsync(silos: 2);
        var frontend = cluster.Frontends[0];
        await site.VisitAsync(
            frontend,
            async visit =>
            {
                await visit.SeenAsync("document.querySelectorAll('.silo .device[data-state=idle]').length === 2");
                Assert.Contains("2 silos on 1 machine, 2 devices", await visit.TextAsync("#subline"), StringComparison.Ordinal);

                await cluster.Silos[0].KillAsync();
                await visit.SeenAsync("document.querySelectorAll('.silo').length === 1");
                Assert.Contains("1 machine, 1 device,", await visit.TextAsync("#subline"), StringComparison.Ordinal);

                // Stopped gracefully, so that other silos need not detect it and the silo can restart at once.
                await cluster.Silos[1].StopAsync();
                await visit.SeenAsync("document.getElementById('headline').textContent === 'No worker is running'");
                Assert.Equal("ill", await visit.EvaluateAsync<string>("document.getElementById('status').dataset.health"));

                // First paused, as with a cut cable; then stopped.
                frontend.Pause();
                await visit.SeenAsync("document.getElementById('headline').textContent === 'No connection to the server'");
                Assert.Contains(" old.", await visit.TextAsync("#subline"), StringComparison.Ordinal);
                Assert.Equal("grayscale(1)", await visit.EvaluateAsync<string>("getComputedStyle(document.getElementById('flow')).filter"));
                frontend.Resume();
                await visit.SeenAsync("document.getElementById('headline').textContent === 'No worker is running'");
                await frontend.KillAsync();
                await visit.SeenAsync("document.getElementById('headline').textContent === 'No connection to the server'");

                await Task.WhenAll(frontend.StartAgainAsync(), cluster.Silos[0].StartAgainAsync());
                await visit.SeenAsync("document.getElementById('headline').textContent === 'Ready, nothing to do'");
                Assert.Equal("well", await visit.EvaluateAsync<string>("document.getElementById('status').dataset.health"));
                Assert.Equal("none", await visit.EvaluateAsync<string>("getComputedStyle(document.getElementById('flow')).filter"));
            },
            path: Path);
    }

    [Fact]
    public Task Status_page_asks_for_the_key_when_one_is_required() => site.VisitGuardedAsync(
        async visit =>
        {
            await visit.SeenAsync("document.getElementById('headline').textContent === 'An API key is needed'");
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('flow').hidden"));

            await visit.EnterKeyAsync("not-the-key");
            await visit.SeenAsync("document.getElementById('key-error').textContent.includes('does not know')");
            await visit.EnterKeyAsync(PageSite.Key);

            await visit.SeenAsync("document.querySelector('.silo .device') !== null");
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').hidden"));

            // Both pages use the same key in this tab.
            await visit.Page.ClickAsync(".top .brand");
            await visit.Page.WaitForSelectorAsync("#threshold");
            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();
            await visit.Page.ClickAsync(".top a[href='/status']");
            await visit.SeenAsync("document.querySelector('.silo .device') !== null");
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').hidden"));

            // In this tab, and with the middle button in a new one.
            var opened = new TaskCompletionSource<PuppeteerSharp.IPage>();
            visit.Page.BrowserContext.TargetCreated += async (_, created) => opened.TrySetResult(await created.Target.PageAsync());
            await visit.Page.ClickAsync(".top a[href='/v1/status']", new PuppeteerSharp.Input.ClickOptions { Button = PuppeteerSharp.Input.MouseButton.Middle });
            await (await opened.Task.WaitAsync(Eventually.Soon)).WaitForExpressionAsync("document.body?.textContent.includes('\"silos\"')");
            await visit.Page.ClickAsync(".top a[href='/v1/status']");
            await visit.SeenAsync("document.body.textContent.includes('\"silos\"')");
        },
        path: Path);

    [Fact]
    public Task Drawing_has_a_description_in_words() => site.VisitAsync(
        async visit =>
        {
            await WhileDetectingAsync(async () =>
            {
                await visit.SeenAsync("/\\d of at most \\d/.test(document.querySelector('.chart:nth-child(3) .values').textContent)");
                await visit.SeenAsync("Number(document.querySelector('.gauge').getAttribute('aria-valuenow')) > 0");

                // As the browser reports it to a screen reader.
                var nodes = await visit.AccessibleNodesAsync();
                Assert.DoesNotContain(nodes, part => part.Role is "image" or "img" or "meter" && part.Name.Length == 0);
                Assert.Contains(nodes, part => part is { Role: "heading", Name: "At work" });
                Assert.Contains(nodes, part => part is { Role: "article", Name: PageSite.SiloName });
                Assert.Contains(nodes, part => part is { Role: "meter", Name: "Busy" });
                Assert.Matches(@"^\d+ %$", await visit.EvaluateAsync<string>("document.querySelector('[role=meter]').getAttribute('aria-valuetext')"));
                Assert.Contains(nodes, part => part.Role == "status"); // read aloud when it changes
                foreach (var drawn in (string[])["places taken", "Room for ", "Pictures a second", "Time to the answer", "Pictures in a batch"])
                {
                    Assert.Contains(nodes, part => part.Role is "image" or "img" && part.Name.Contains(drawn, StringComparison.Ordinal) && part.Name.Any(char.IsDigit));
                }
            });

            // The glossary explains the terms.
            await visit.Page.ClickAsync(".glossary summary");
            var glossary = await visit.TextAsync(".glossary");
            foreach (var word in (string[])["Waiting", "silo", "devices", "Squares", "batches", "Busy", "Could do", "Time", "Failures"])
            {
                Assert.Contains(word, glossary, StringComparison.Ordinal);
            }
        },
        path: Path);

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    public Task Every_text_has_enough_contrast(string scheme) => site.VisitAsync(
        async visit =>
        {
            await visit.PreferAsync(scheme);
            await FailAsync();
            await visit.SeenAsync("document.querySelector('#failures li') !== null");
            await visit.Page.ClickAsync(".glossary summary");

            var contrasts = await visit.ContrastsAsync();
            Assert.True(contrasts.Count > 30, $"Only {contrasts.Count} texts are seen.");
            Assert.All(contrasts, contrast => Assert.True(contrast.Ratio >= 4.5, $"{contrast.Ratio:0.0}:1 for '{contrast.Text}'"));
        },
        path: Path);

    /// <summary>Sends more pictures than the server can process at once, until <paramref name="look"/> completes.</summary>
    private async Task WhileDetectingAsync(Func<Task> look)
    {
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 24).Select(async _ =>
        {
            while (!enough.IsCancellationRequested)
            {
                await site.AskAsync(TestPictures.Unique(Interlocked.Increment(ref _pictures)));
            }
        }).ToList();
        try
        {
            await look();
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(callers);
        }
    }

    /// <summary>Sends a damaged picture.</summary>
    /// <returns>The first digits of its key.</returns>
    private async Task<string> FailAsync()
    {
        var picture = TestPictures.Unique(Interlocked.Increment(ref _pictures));
        picture = picture[..(picture.Length / 2)];
        var (status, _) = await site.AskAsync(picture);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        return TestPictures.ImageKey(picture)[..8];
    }
}
