using System.Globalization;

[assembly: AssemblyFixture(typeof(Detection.Frontend.Tests.OneProcess))]

namespace Detection.Frontend.Tests;

/// <summary>The front end in one-process mode, with settings only for ports and the replaced system's list. Shared by the tests.</summary>
public sealed class OneProcess : IAsyncLifetime
{
    /// <summary>The secret that signs webhooks.</summary>
    public const string WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private PictureHost? _pictures;
    private DetectionProcess? _process;

    public DetectionProcess Process => _process ?? throw new InvalidOperationException("Not started.");

    public HttpClient Http => Process.Http;

    /// <summary>Port of the embedded Redis-compatible server.</summary>
    public int RedisPort { get; } = LoopbackPorts.Next();

    /// <summary>Port of the picture memory.</summary>
    public int PicturePort { get; } = LoopbackPorts.Next();

    /// <summary>Receives webhooks of the front end.</summary>
    public WebhookReceiver Webhooks { get; } = new();

    /// <summary>Serves pictures; the front end may fetch only from it on this machine.</summary>
    public PictureHost Pictures => _pictures ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        _pictures = new PictureHost();
        _process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__LegacyQueue"] = "true",
            ["Detection__Webhooks__Secret"] = WebhookSecret,
            ["Detection__Webhooks__FirstPause"] = "00:00:00.05",
            ["Detection__Webhooks__MaxAttempts"] = "4",
            [DetectionSettings.EmbeddedPassword] = DetectionSettings.SomePassword,
            ["Detection__Embedded__RedisPort"] = RedisPort.ToString(CultureInfo.InvariantCulture),
            ["Detection__Embedded__PicturePort"] = PicturePort.ToString(CultureInfo.InvariantCulture),
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = _pictures.Port.ToString(CultureInfo.InvariantCulture),
            ["Detection__Fetch__AllowedPorts__1"] = Webhooks.Port.ToString(CultureInfo.InvariantCulture),
        });
        await _process.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        if (_pictures is not null)
        {
            await _pictures.DisposeAsync();
        }

        await Webhooks.DisposeAsync();
    }
}
