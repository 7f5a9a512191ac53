using PuppeteerSharp;

namespace Detection.Page.Tests;

/// <summary>The browser of this machine.</summary>
internal static class Chromium
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    /// <summary>Path of the browser: the variable <c>CHROMIUM</c>, or the first on the PATH; <see langword="null"/> when there is none.</summary>
    public static string? ExecutablePath => Environment.GetEnvironmentVariable("CHROMIUM") ?? Names.Select(Executables.Find).FirstOrDefault(path => path is not null);

    /// <summary>Skips the running test when no browser is installed; fails it in CI, where one must be installed.</summary>
    public static void Require()
    {
        if (File.Exists(ExecutablePath))
        {
            return;
        }

        const string reason = "No Chromium is installed. Install it (Debian: apt-get install chromium) or name another in CHROMIUM.";
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
        {
            Assert.Fail(reason);
        }

        Assert.Skip(reason);
    }

    /// <summary>Starts it without a window, with an empty profile, and without its own connections to the internet.</summary>
    public static Task<IBrowser> StartAsync() => Puppeteer.LaunchAsync(new LaunchOptions
    {
        ExecutablePath = ExecutablePath,
        Headless = true,
        DefaultViewport = null,
        Args =
        [
            "--no-sandbox", // containers and CI run as root
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    });
}
