using System.Diagnostics.Tracing;
using System.Globalization;
using Detection.Testing;
using Microsoft.Diagnostics.NETCore.Client;
using StackExchange.Redis;

namespace Detection.Fuzz;

/// <summary>The front end without settings: the whole cluster in one process, on the CPU, with a real model.</summary>
internal sealed class Subject : IAsyncDisposable
{
    private const long CollectsHeap = 0x800000;

    /// <summary>How long it keeps pictures.</summary>
    public static readonly TimeSpan PictureExpiry = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _temporary;
    private readonly DetectionProcess _process;
    private readonly ConnectionMultiplexer _redis;
    private readonly int _picturePort;
    private readonly int _id;

    private Subject(DirectoryInfo temporary, DetectionProcess process, ConnectionMultiplexer redis, int picturePort)
    {
        _picturePort = picturePort;
        _temporary = temporary;
        _process = process;
        _redis = redis;
        _id = process.Process.Id;
    }

    /// <summary>Address of the front end.</summary>
    public Uri Url => _process.Url;

    /// <summary>A client of it.</summary>
    public HttpClient Http => _process.Http;

    /// <summary>Its process id.</summary>
    public int Id => _id;

    /// <summary>Keys in its Redis.</summary>
    public DetectionKeys Keys => new(_redis);

    /// <summary>Whether the process that was started still runs.</summary>
    public bool IsAlive => !_process.Process.HasExited && _process.Process.Id == _id;

    /// <summary>Whether it is ready.</summary>
    public Task<bool> IsReadyAsync() => _process.IsReadyAsync();

    /// <summary>
    /// Its logged errors, except two: the storage of grains logs a conflict as an error and then resolves it, and Kestrel (67) logs that it cannot
    /// read the rest of a body whose sender disconnected while more of it arrived; it closes the connection.
    /// </summary>
    public IReadOnlyList<string> Errors =>
        [.. Log.Split('\n').Where(static line =>
            line.Contains("Unhandled exception", StringComparison.Ordinal)
            || ((line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal))
                && !line.Contains("Orleans.Persistence.RedisGrainStorage", StringComparison.Ordinal)
                && !line.Contains("Microsoft.AspNetCore.Server.Kestrel[67]", StringComparison.Ordinal)))];

    /// <summary>The last 5,000 lines of its log.</summary>
    public string Log => _process.Process.Log;

    /// <summary>Memory in use, in bytes.</summary>
    public long ResidentBytes => ProcessMeasures.ResidentBytes(_id);

    /// <summary>Open files and connections.</summary>
    public int Descriptors => ProcessMeasures.Descriptors(_id);

    /// <summary>Names in its folder for temporary files, except the file for diagnostic tools.</summary>
    public IReadOnlyList<string> TemporaryFiles =>
        [.. Directory.GetFileSystemEntries(_temporary.FullName).Select(static path => Path.GetFileName(path)).Where(static name => !name.StartsWith("dotnet-diagnostic-", StringComparison.Ordinal) && !name.StartsWith("clr-debug-pipe-", StringComparison.Ordinal))];

    /// <summary>Starts it.</summary>
    /// <param name="redisPort">Port for its embedded Redis.</param>
    /// <param name="pictures">A host on this machine from which it may fetch.</param>
    public static async Task<Subject> StartAsync(int redisPort, Uri pictures)
    {
        var picturePort = LoopbackPorts.Next();
        var temporary = Directory.CreateTempSubdirectory("detection-fuzz-");

        // The diagnostic client looks for the process in this folder.
        Environment.SetEnvironmentVariable("TMPDIR", temporary.FullName);
        var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["TMPDIR"] = temporary.FullName,
            [DetectionSettings.EmbeddedPassword] = DetectionSettings.SomePassword,
            ["Detection__Embedded__RedisPort"] = redisPort.ToString(CultureInfo.InvariantCulture),
            // Small, so that it is full before the first measurement of memory; and with the shortest expiry.
            ["Detection__Embedded__RedisMemoryMegabytes"] = "64",
            ["Detection__Embedded__PictureMemoryMegabytes"] = "256",
            ["Detection__Embedded__PicturePort"] = picturePort.ToString(CultureInfo.InvariantCulture),
            ["Detection__Pictures__Expiry"] = PictureExpiry.ToString(),
            ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
            ["Detection__Fetch__AllowedPorts__0"] = pictures.Port.ToString(CultureInfo.InvariantCulture),
            ["Detection__Webhooks__Secret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ["Detection__Webhooks__FirstPause"] = "00:00:00.1",
            ["Detection__Webhooks__MaxAttempts"] = "2",
            // Refusals are expected; the test looks for errors in the log.
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__Console__FormatterName"] = "simple",
            ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss ",
        });
        try
        {
            await process.ReadyAsync();
            var options = Options(redisPort);
            options.AllowAdmin = true;
            return new Subject(temporary, process, await ConnectionMultiplexer.ConnectAsync(options), picturePort);
        }
        catch
        {
            await process.DisposeAsync();
            temporary.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Waits until no picture is kept.</summary>
    /// <param name="expiry">How long they are kept.</param>
    /// <exception cref="TimeoutException">Some are still kept half a minute later.</exception>
    public async Task WithoutPicturesAsync(TimeSpan expiry)
    {
        // The picture memory supports a few commands of Redis.
        var options = Options(_picturePort);
        options.CommandMap = CommandMap.Create(["AUTH", "PING", "ECHO", "SET", "DBSIZE"]);
        options.TieBreaker = "";
        options.ConfigurationChannel = "";
        await using var pictures = await ConnectionMultiplexer.ConnectAsync(options);
        await Eventually.Async(
            async () => (int)await pictures.GetDatabase().ExecuteAsync("DBSIZE") == 0, expiry + TimeSpan.FromSeconds(30), "all pictures have expired");
    }

    /// <summary>Collects the garbage of the process.</summary>
    public async Task CollectAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var session = await new DiagnosticsClient(_id).StartEventPipeSessionAsync(
            [new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, CollectsHeap)], requestRundown: false, token: limit.Token);
        var draining = session.EventStream.CopyToAsync(Stream.Null, limit.Token);
        await session.StopAsync(limit.Token);
        await draining;
        session.Dispose();
    }

    /// <summary>Stops the process.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="TimeoutException">It still runs after 30 s.</exception>
    public Task<int> StopAsync() => _process.StopAsync();

    private static ConfigurationOptions Options(int port) =>
        ConfigurationOptions.Parse(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port},password={DetectionSettings.SomePassword}"));

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        await _process.DisposeAsync();
        _temporary.Delete(recursive: true);
    }
}
