using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Deque.AxeCore.Commons;
using PuppeteerSharp;
using PuppeteerSharp.PageAccessibility;

namespace Detection.Page.Tests;

/// <summary>One tab: actions of the user, what is visible, and the requests.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private static readonly Lazy<string> Axe = new(static () => new BundledAxeScriptProvider().GetScript());

    private readonly ConcurrentQueue<string> _complaints = [];
    private readonly ConcurrentQueue<IRequest> _requests = [];
    private readonly Uri _site;

    private Visit(IPage page, Uri site)
    {
        Page = page;
        _site = site;
    }

    public IPage Page { get; }

    /// <summary>The requests <c>POST /v1/detections</c> so far.</summary>
    public IEnumerable<IRequest> Detections =>
        _requests.Where(request => request.Method == HttpMethod.Post && new Uri(request.Url).AbsolutePath == "/v1/detections");

    /// <summary>All requests so far.</summary>
    public int RequestCount => _requests.Count;

    public static async Task<Visit> StartAsync(IBrowserContext context, Uri site, string path, Screen screen)
    {
        var page = await context.NewPageAsync();
        var visit = new Visit(page, site);
        page.DefaultTimeout = (int)Eventually.Soon.TotalMilliseconds;
        page.Console += (_, message) => visit.Hear(message.Message);
        page.PageError += (_, error) => visit._complaints.Enqueue($"Uncaught: {error.Message}");
        page.Request += (_, request) => visit._requests.Enqueue(request.Request);
        await page.SetViewportAsync(screen.ToViewPort());
        await page.GoToAsync(new Uri(site, path).ToString());
        await page.WaitForSelectorAsync(path.Split('#')[0] switch
        {
            "/status" => "#charts .chart", // made by the script: it runs
            "/" or "/detectConsult" => "#threshold",
            _ => "main",
        });
        return visit;
    }

    /// <summary>Chooses files with the button, as a user does.</summary>
    public async Task ChooseAsync(params string[] paths)
    {
        var chooser = Page.WaitForFileChooserAsync();
        await Page.ClickAsync("#choose");
        await (await chooser).AcceptAsync(paths);
    }

    /// <summary>Enters an address and presses Enter.</summary>
    public async Task EnterUrlAsync(string url)
    {
        await Page.ClickAsync("#url");
        await Page.Keyboard.TypeAsync(url);
        await Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Enters an API key when the page asks for one.</summary>
    public async Task EnterKeyAsync(string key)
    {
        await SeenAsync("!document.getElementById('key-form').hidden");
        await Page.ClickAsync("#key");
        await Page.Keyboard.TypeAsync(key);
        await Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Waits until the shown picture has its answer.</summary>
    public Task AnsweredAsync() =>
        SeenAsync("document.getElementById('stage').dataset.state === 'done' && !document.getElementById('picture').hidden");

    /// <summary>Waits until an expression in the page is true.</summary>
    public Task SeenAsync(string expression) => Page.WaitForExpressionAsync(expression);

    /// <summary>Waits for a problem and reads its title, detail and buttons, one on each line.</summary>
    public async Task<string> ProblemAsync()
    {
        await SeenAsync("!document.getElementById('problem').hidden");
        return await TextAsync("#problem");
    }

    /// <summary>The visible text of an element.</summary>
    public Task<string> TextAsync(string selector) =>
        Page.EvaluateFunctionAsync<string>("(selector) => document.querySelector(selector).innerText", selector);

    public Task<T> EvaluateAsync<T>(string expression) => Page.EvaluateExpressionAsync<T>(expression);

    /// <summary>The boxes over the picture, in CSS pixels from its top left corner, in the order of the answer.</summary>
    public async Task<IReadOnlyList<DrawnBox>> BoxesAsync()
    {
        var boxes = await Page.EvaluateExpressionAsync<JsonElement>("""
            (() => {
              const picture = document.getElementById('picture').getBoundingClientRect();
              return [...document.querySelectorAll('#overlay .box')].map((box) => {
                const edge = box.querySelector('.edge');
                const at = (name) => Number(edge.getAttribute(name));
                const overlay = document.getElementById('overlay').getBoundingClientRect();
                return {
                  index: Number(box.dataset.box),
                  colour: edge.getAttribute('stroke'),
                  lit: box.classList.contains('on'),
                  x: overlay.x - picture.x + at('x'),
                  y: overlay.y - picture.y + at('y'),
                  width: at('width'),
                  height: at('height'),
                };
              }).sort((a, b) => a.index - b.index);
            })()
            """);
        return boxes.Deserialize<List<DrawnBox>>(JsonSerializerOptions.Web)!;
    }

    /// <summary>Moves the slider to its end with the keyboard.</summary>
    public async Task SlideAsync(string key)
    {
        await Page.FocusAsync("#threshold");
        await Page.Keyboard.PressAsync(key);
    }

    /// <summary>How far the page, or an element that is cut off, extends beyond the right edge of the screen, in CSS pixels; 0 for not at all.</summary>
    public Task<double> BeyondTheEdgeAsync() => Page.EvaluateExpressionAsync<double>("""
        (() => {
          const root = document.documentElement;
          const parts = [...document.querySelectorAll('.top *, .intake-row *, .panel *, .problem *, .status *')].filter((part) => part.checkVisibility());
          const rightmost = Math.max(...parts.map((part) => part.getBoundingClientRect().right));
          return Math.max(0, root.scrollWidth - root.clientWidth, Math.floor(rightmost - root.clientWidth));
        })()
        """);

    /// <summary>How far the parts of an element extend beyond its right edge, in CSS pixels; 0 for not at all.</summary>
    public Task<double> BeyondAsync(string selector) => Page.EvaluateFunctionAsync<double>(
        "(selector) => Math.max(...[...document.querySelectorAll(selector)].map((whole) => { const { right } = whole.getBoundingClientRect(); "
        + "return Math.max(0, ...[...whole.querySelectorAll('section, button, article')].filter((part) => part.checkVisibility()).map((part) => Math.floor(part.getBoundingClientRect().right - right))); }))",
        selector);

    /// <summary>Shows the page in light or dark colours.</summary>
    /// <param name="scheme"><c>light</c> or <c>dark</c>.</param>
    public Task PreferAsync(string scheme) =>
        Page.EmulateMediaFeaturesAsync([new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme }]);

    /// <summary>Shows the page in forced colours (high contrast).</summary>
    public Task ForceColoursAsync() => Page.Client.SendAsync("Emulation.setEmulatedMedia", new
    {
        features = new[] { new { name = "forced-colors", value = "active" }, new { name = "prefers-color-scheme", value = "dark" } },
    });

    /// <summary>The violations that axe finds, one on each line with the rule and the elements.</summary>
    public async Task<IReadOnlyList<string>> AxeAsync()
    {
        await Page.EvaluateExpressionAsync(Axe.Value);
        return await Page.EvaluateExpressionAsync<string[]>("""
            Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => null)))
              .then(() => axe.run(document, { resultTypes: ['violations'] })).then(({ violations }) =>
              violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`))
            """);
    }

    /// <summary>The element with the focus: its id, or its class and name.</summary>
    public Task<string> FocusAsync() => EvaluateAsync<string>(
        "(({ id, className, ariaLabel, tagName }) => id || `${className} ${ariaLabel ?? ''}`.trim() || tagName)(document.activeElement)");

    /// <summary>Everything that the browser reports to a screen reader, in the order of the page.</summary>
    public async Task<IReadOnlyList<AccessibleNode>> AccessibleNodesAsync()
    {
        var nodes = new List<AccessibleNode>();
        Add(await Page.Accessibility.SnapshotAsync(new AccessibilitySnapshotOptions { InterestingOnly = false }));
        return nodes;

        void Add(SerializedAXNode part)
        {
            nodes.Add(new AccessibleNode(part.Role, part.Name ?? ""));
            Array.ForEach(part.Children ?? [], Add);
        }
    }

    /// <summary>Each visible text, with the contrast of its colour to its background by WCAG 2: 1 to 21.</summary>
    public async Task<IReadOnlyList<Contrast>> ContrastsAsync()
    {
        var contrasts = await Page.EvaluateExpressionAsync<JsonElement>("""
            (() => {
              const canvas = document.createElement('canvas');
              const pen = canvas.getContext('2d', { willReadFrequently: true });
              const layer = (colour, below) => {
                pen.clearRect(0, 0, 1, 1);
                pen.fillStyle = colour;
                pen.fillRect(0, 0, 1, 1);
                const [r, g, b, a] = [...pen.getImageData(0, 0, 1, 1).data].map((channel) => channel / 255);
                return [r, g, b].map((channel, i) => a * channel + (1 - a) * below[i]);
              };
              const ground = (part) => part ? layer(getComputedStyle(part).backgroundColor, ground(part.parentElement)) : [1, 1, 1];
              const light = (colour) => colour
                .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
                .reduce((sum, channel, i) => sum + channel * [0.2126, 0.7152, 0.0722][i], 0);
              const contrasts = [];
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const part = walker.currentNode.parentElement;
                const text = walker.currentNode.textContent.trim();
                if (text && part.checkVisibility()) {
                  const below = ground(part);
                  const [a, b] = [light(layer(getComputedStyle(part).color, below)), light(below)];
                  contrasts.push({ text, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
                }
              }
              return contrasts;
            })()
            """);
        return contrasts.Deserialize<List<Contrast>>(JsonSerializerOptions.Web)!;
    }

    /// <summary>Ignores console errors that contain a text.</summary>
    public void Forgive(string text)
    {
        var others = _complaints.Where(complaint => !complaint.Contains(text, StringComparison.Ordinal)).ToList();
        _complaints.Clear();
        others.ForEach(_complaints.Enqueue);
    }

    /// <summary>Checks that the console has no errors or warnings, that there are no uncaught exceptions, and no requests to another host.</summary>
    public void AssertBehaved()
    {
        Assert.Empty(_complaints);
        Assert.All(_requests, request =>
        {
            var url = new Uri(request.Url);
            Assert.True(url.Scheme is "blob" or "data" || url.Authority == _site.Authority, $"Asked another host: {request.Url}");
        });
    }

    public async ValueTask DisposeAsync() => await Page.CloseAsync();

    private void Hear(ConsoleMessage message)
    {
        var type = message.Type.ToString();
        // Chromium itself reports every answer of 400 and above, and refused connections; a page cannot prevent it.
        if ((type is "Error" or "Warning")
            && !message.Text.StartsWith("Failed to load resource: the server responded", StringComparison.Ordinal)
            && !message.Text.StartsWith("Failed to load resource: net::ERR_CONNECTION_REFUSED", StringComparison.Ordinal))
        {
            _complaints.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{type}: {message.Text}"));
        }
    }
}

/// <summary>A box over the picture, in CSS pixels.</summary>
internal sealed record DrawnBox(int Index, string Colour, bool Lit, double X, double Y, double Width, double Height);

/// <summary>What the browser reports to a screen reader for a part of the page.</summary>
internal sealed record AccessibleNode(string Role, string Name);

/// <summary>A text and its contrast.</summary>
internal sealed record Contrast(string Text, double Ratio);
