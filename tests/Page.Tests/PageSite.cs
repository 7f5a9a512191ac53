using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PuppeteerSharp;

[assembly: AssemblyFixture(typeof(Detection.Page.Tests.PageSite))]

namespace Detection.Page.Tests;

/// <summary>The real front end in one-process mode, a browser, and a host that serves a picture. The first test starts them.</summary>
public sealed class PageSite : IAsyncDisposable
{
    private readonly SemaphoreSlim _once = new(1);
    private PictureHost? _pictureHost;
    private Uri? _photoUrl;
    private DetectionProcess? _frontend;
    private DetectionProcess? _guarded;
    private DetectionProcess? _managed;
    private ModelFolder? _models;
    private int _managementPort;
    private IBrowser? _browser;

    /// <summary>The key of the server that requires one.</summary>
    public const string Key = "the-key-of-the-page";

    /// <summary>A key that may also administer the cluster.</summary>
    public const string AdministratorKey = "the-key-of-the-administrator";

    private static readonly Dictionary<string, string?> Keys = new()
    {
        ["Detection__Access__Keys__page__Sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key))),
        ["Detection__Access__Keys__ops__Sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AdministratorKey))),
        ["Detection__Access__Keys__ops__Administrator"] = "true",
    };

    /// <summary>Name of the silo in the server.</summary>
    public const string SiloName = "node17.rack4.datacentre2.production.detection.example.internal";

    /// <summary>Address of <see cref="Photos.People"/> on another host, for tests that send its URL.</summary>
    internal Uri PhotoUrl => _photoUrl ?? throw new InvalidOperationException("No test visits the page.");

    /// <summary>Opens the page in a tab with its own profile, runs the test, and checks that the console has no errors.</summary>
    /// <param name="use">The actions of the user.</param>
    /// <param name="screen">The screen; a desktop by default.</param>
    /// <param name="path">Path of the page.</param>
    internal async Task VisitAsync(Func<Visit, Task> use, Screen? screen = null, string path = "/")
    {
        Chromium.Require();
        var (frontend, browser) = await StartAsync();
        await VisitAsync(frontend.Url, browser, use, screen, path);
    }

    /// <summary>As <see cref="VisitAsync(Func{Visit, Task}, Screen?, string)"/>, for a server that requires the key <see cref="Key"/> and has two models.</summary>
    internal async Task VisitGuardedAsync(Func<Visit, Task> use, Screen? screen = null, string path = "/")
    {
        Chromium.Require();
        var (_, browser) = await StartAsync();
        await VisitAsync((await StartGuardedAsync()).Url, browser, use, screen, path);
    }

    /// <summary>As <see cref="VisitAsync(Func{Visit, Task}, Screen?, string)"/>, for a server with a separate management address.</summary>
    internal async Task VisitManagedAsync(Func<Visit, Task> use, Screen? screen = null, string path = "/")
    {
        Chromium.Require();
        var (_, browser) = await StartAsync();
        await VisitAsync((await StartManagedAsync()).Url, browser, use, screen, path);
    }

    /// <summary>As <see cref="VisitManagedAsync"/>, at the management address.</summary>
    internal async Task VisitManagementAsync(Func<Visit, Task> use, Screen? screen = null, string path = "/status")
    {
        Chromium.Require();
        var (_, browser) = await StartAsync();
        var url = new UriBuilder((await StartManagedAsync()).Url) { Port = _managementPort }.Uri;
        await VisitAsync(url, browser, use, screen, path);
    }

    /// <summary>As <see cref="VisitManagementAsync"/>, for a server that requires keys. The status needs none there, administration does.</summary>
    internal async Task VisitGuardedManagementAsync(Func<Visit, Task> use)
    {
        Chromium.Require();
        var (_, browser) = await StartAsync();
        var port = LoopbackPorts.Next();
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?>(Keys)
        {
            [DetectionSettings.Redis] = null,
            ["Detection__Management__Url"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
        });
        await frontend.ReadyAsync();
        await VisitAsync(new UriBuilder(frontend.Url) { Port = port }.Uri, browser, use, screen: null, path: "/status");
    }

    /// <summary>As <see cref="VisitAsync(Func{Visit, Task}, Screen?, string)"/>, for a front end of the test.</summary>
    internal async Task VisitAsync(DetectionProcess frontend, Func<Visit, Task> use, Screen? screen = null, string path = "/")
    {
        Chromium.Require();
        var (_, browser) = await StartAsync();
        await VisitAsync(frontend.Url, browser, use, screen, path);
    }

    private static async Task VisitAsync(Uri url, IBrowser browser, Func<Visit, Task> use, Screen? screen, string path)
    {
        await using var context = await browser.CreateBrowserContextAsync();
        await using var visit = await Visit.StartAsync(context, url, path, screen ?? Screen.Desktop);
        await use(visit);
        visit.AssertBehaved();
    }

    /// <summary>The server's answer or problem for a picture, requested without the browser, with its status.</summary>
    internal async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(string path) =>
        await AskAsync(await File.ReadAllBytesAsync(path), Path.GetExtension(path) is ".webp" ? "image/webp" : "image/jpeg");

    /// <summary>The server's answer for bytes that are not a file.</summary>
    internal async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(byte[] picture, string type = "image/jpeg")
    {
        using var content = new ByteArrayContent(picture);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await AskAsync(content);
    }

    /// <summary>The server's answer for a URL.</summary>
    internal async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(Uri url)
    {
        using var content = JsonContent.Create(new { url });
        return await AskAsync(content);
    }

    /// <summary>The JSON at a path of the server.</summary>
    internal Task<JsonElement> ReadAsync(string path) =>
        (_frontend ?? throw new InvalidOperationException("No test visits the page.")).Http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        if (_guarded is not null)
        {
            await _guarded.DisposeAsync();
        }

        if (_managed is not null)
        {
            await _managed.DisposeAsync();
        }

        _models?.Dispose();

        if (_frontend is not null)
        {
            await _frontend.DisposeAsync();
        }

        if (_pictureHost is not null)
        {
            await _pictureHost.DisposeAsync();
        }

        _once.Dispose();
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(HttpContent content)
    {
        var http = (_frontend ?? throw new InvalidOperationException("No test visits the page.")).Http;
        using var response = await http.PostAsync(new Uri("/v1/detections?threshold=0.05", UriKind.Relative), content);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private async Task<DetectionProcess> StartGuardedAsync()
    {
        await _once.WaitAsync(TimeSpan.FromMinutes(3));
        try
        {
            if (_guarded is null)
            {
                _models = new ModelFolder();
                _models.Lay("nanodet-g");
                _models.Lay("nanodet-of-another-name");
                _guarded = DetectionProcess.StartFrontend(new Dictionary<string, string?>(Keys)
                {
                    [DetectionSettings.Redis] = null,
                    ["Detection__Models__Directory"] = _models.Path,
                });
                await _guarded.ReadyAsync();
            }

            return _guarded;
        }
        finally
        {
            _once.Release();
        }
    }

    private async Task<DetectionProcess> StartManagedAsync()
    {
        await _once.WaitAsync(TimeSpan.FromMinutes(3));
        try
        {
            if (_managed is null)
            {
                _managementPort = LoopbackPorts.Next();
                _managed = DetectionProcess.StartFrontend(new Dictionary<string, string?>
                {
                    [DetectionSettings.Redis] = null,
                    ["Detection__Management__Url"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_managementPort}"),
                });
                await _managed.ReadyAsync();
            }

            return _managed;
        }
        finally
        {
            _once.Release();
        }
    }

    private async Task<(DetectionProcess Frontend, IBrowser Browser)> StartAsync()
    {
        await _once.WaitAsync(TimeSpan.FromMinutes(3));
        try
        {
            if (_frontend is null)
            {
                _pictureHost = new PictureHost();
                _photoUrl = _pictureHost.Url("photos/street.webp", await File.ReadAllBytesAsync(Photos.People));
                _frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?>
                {
                    [DetectionSettings.Redis] = null,
                    // As long as the name of a machine may be, with no place for a line break.
                    ["Detection__Silo__Name"] = SiloName,
                    // Without these settings loopback addresses and other ports are not fetched from.
                    ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
                    ["Detection__Fetch__AllowedPorts__0"] = _pictureHost.Port.ToString(CultureInfo.InvariantCulture),
                });
                await _frontend.ReadyAsync();
            }

            _browser ??= await Chromium.StartAsync();
            return (_frontend, _browser);
        }
        finally
        {
            _once.Release();
        }
    }
}
