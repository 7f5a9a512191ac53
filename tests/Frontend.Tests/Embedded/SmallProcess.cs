using System.Globalization;
using Detection.Frontend.Tests.Http.Access;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>A front end in one-process mode with the smallest memories that the settings allow, and connections to its stores.</summary>
public sealed class SmallProcess : IAsyncLifetime
{
    /// <summary>Password of its picture memory and of its Redis-compatible server.</summary>
    public const int Megabytes = 32;

    private const string KeyHeader = "X-API-Key";

    private ConnectionMultiplexer? _redis;
    private ConnectionMultiplexer? _pictures;
    private DetectionProcess? _process;

    public DetectionProcess Process => _process ?? throw new InvalidOperationException("Not started.");

    public HttpClient Http => Process.Http;

    public int RedisPort { get; } = LoopbackPorts.Next();

    public int PicturePort { get; } = LoopbackPorts.Next();

    public WebhookReceiver Webhooks { get; } = new();

    internal PictureHost PictureHost { get; } = new();

    public string RedisConnectionString => ConnectionString(RedisPort);

    public string PicturesConnectionString => ConnectionString(PicturePort);

    public IDatabase Redis => _redis!.GetDatabase();

    public IDatabase Pictures => _pictures!.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            [DetectionSettings.EmbeddedPassword] = DetectionSettings.SomePassword,
            ["Detection__Embedded__RedisPort"] = Text(RedisPort),
            ["Detection__Embedded__PicturePort"] = Text(PicturePort),
            ["Detection__Embedded__RedisMemoryMegabytes"] = Text(Megabytes),
            ["Detection__Embedded__PictureMemoryMegabytes"] = Text(Megabytes),
            ["Detection__Webhooks__Secret"] = OneProcess.WebhookSecret,
            ["Detection__Webhooks__FirstPause"] = "00:00:05",
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = Text(Webhooks.Port),
            ["Detection__Fetch__AllowedPorts__1"] = Text(PictureHost.Port),
        };
        foreach (var caller in (string[])["tester", "alice", "bob", "carol"])
        {
            settings[$"Detection__Access__Keys__{caller}__Sha256"] = GuardedProcess.Hash(KeyOf(caller));
        }

        _process = DetectionProcess.StartFrontend(settings);
        _process.Http.DefaultRequestHeaders.Add(KeyHeader, KeyOf("tester"));
        await _process.ReadyAsync();
        _redis = await ConnectionMultiplexer.ConnectAsync(RedisConnectionString + ",allowAdmin=true");

        _pictures = await ConnectToPicturesAsync();
    }

    /// <summary>A further connection to the picture memory.</summary>
    public Task<ConnectionMultiplexer> ConnectToPicturesAsync()
    {
        // The server supports no other commands.
        var pictures = ConfigurationOptions.Parse(PicturesConnectionString);
        pictures.CommandMap = CommandMap.Create(["AUTH", "PING", "ECHO", "GET", "STRLEN", "EXISTS", "EXPIRE", "PEXPIRE", "PTTL", "DEL"]);
        pictures.TieBreaker = "";
        pictures.ConfigurationChannel = "";
        return ConnectionMultiplexer.ConnectAsync(pictures);
    }

    public async ValueTask DisposeAsync()
    {
        await (_redis?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_pictures?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_process?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Webhooks.DisposeAsync();
        await PictureHost.DisposeAsync();
    }

    /// <summary>Sends a picture as a caller; <see cref="Http"/> sends as "tester".</summary>
    internal Task<HttpResponseMessage> PostAsync(string caller, HttpContent content, string query = "") => Http.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/detections" + query, UriKind.Relative)) { Content = content, Headers = { { KeyHeader, KeyOf(caller) } } });

    private static string KeyOf(string caller) => $"key-of-{caller}";

    private static string ConnectionString(int port) => $"127.0.0.1:{Text(port)},password={DetectionSettings.SomePassword}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
