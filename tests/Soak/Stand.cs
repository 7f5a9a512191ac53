using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Detection.Testing;
using StackExchange.Redis;

namespace Detection.Soak;

/// <summary>The processes under test: a whole cluster, or one front end in one-process mode.</summary>
internal sealed class Stand : IAsyncDisposable
{
    /// <summary>The secret that signs webhooks.</summary>
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private const int Keys = 12;

    private readonly DetectionCluster? _cluster;
    private readonly ConnectionMultiplexer? _redis;

    private Stand(DetectionCluster? cluster, IReadOnlyList<DetectionProcess> processes, IReadOnlyList<DetectionProcess> frontends, ConnectionMultiplexer? redis)
    {
        _cluster = cluster;
        _redis = redis;
        Processes = processes;
        Frontends = frontends;
    }

    /// <summary>All processes of the product.</summary>
    public IReadOnlyList<DetectionProcess> Processes { get; }

    /// <summary>The front ends; when there are two, the first requires keys.</summary>
    public IReadOnlyList<DetectionProcess> Frontends { get; }

    /// <summary>Keys of the cluster's Redis; <see langword="null"/> in one-process mode.</summary>
    public DetectionKeys? RedisKeys => _redis is null ? null : new DetectionKeys(_redis);

    /// <summary>Process id of its Redis; <see langword="null"/> in one-process mode.</summary>
    public int? RedisProcess => _cluster?.Redis.ProcessId;

    /// <summary>Starts one front end in one-process mode.</summary>
    public static async Task<Stand> StartAloneAsync(string models, Uri host)
    {
        var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>(Settings(models, host)) { [DetectionSettings.Redis] = null });
        try
        {
            await process.ReadyAsync(TimeSpan.FromMinutes(3));
            return new Stand(null, [process], [process], null);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts Redis, two silos, one of them with a device that fails from time to time, and two front ends, one of which requires keys.</summary>
    public static async Task<Stand> StartClusterAsync(string models, Uri host)
    {
        var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, Settings(models, host));
        try
        {
            var keys = Enumerable.Range(0, Keys).ToDictionary(
                static i => $"Detection__Access__Keys__caller{i}__Sha256",
                static string? (i) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key(i)!))));

            // A device that fails from time to time: no caller may see it while the other one works.
            cluster.AddSilo(
                new Dictionary<string, string?>(StringComparer.Ordinal)
                {
                    ["Sickness__NowAndThen"] = "true",
                    ["Detection__DeviceHealth__RetryDelay"] = "00:00:01",
                    ["Detection__DeviceHealth__MaxRetryDelay"] = "00:00:01",
                },
                "tests/SickSilo");
            cluster.AddFrontend(keys);
            cluster.AddFrontend();
            await cluster.ReadyAsync(TimeSpan.FromMinutes(3));
            var options = ConfigurationOptions.Parse(cluster.Redis.ConnectionString);
            options.AllowAdmin = true;
            return new Stand(cluster, [.. cluster.Silos, .. cluster.Frontends], cluster.Frontends, await ConnectionMultiplexer.ConnectAsync(options));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The front end of a caller, and its key: when keys are required, twelve of sixteen callers have one.</summary>
    public (DetectionProcess Frontend, string? Key) Of(int caller) =>
        Frontends.Count == 1 ? (Frontends[0], null) : caller < Keys ? (Frontends[0], Key(caller)) : (Frontends[1], null);

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
        else
        {
            await Processes[0].DisposeAsync();
        }
    }

    private static string? Key(int caller) => string.Create(CultureInfo.InvariantCulture, $"soak-key-of-caller-{caller}-and-no-secret");

    private static Dictionary<string, string?> Settings(string models, Uri host) => new(StringComparer.Ordinal)
    {
        ["Detection__Models__Directory"] = models,
        ["Detection__Models__RescanInterval"] = "00:00:05",
        ["Detection__CpuWorkers"] = "1",
        // The maximum, for protocols without a timeout: a slow answer under load is not a difference.
        ["Detection__Client__Deadline"] = "00:01:00",
        ["Detection__Fetch__AllowedNetworks__0"] = "127.0.0.1/32",
        ["Detection__Fetch__AllowedPorts__0"] = host.Port.ToString(CultureInfo.InvariantCulture),
        ["Detection__Webhooks__Secret"] = Secret,
        ["Detection__Results__Expiry"] = "00:01:00",
        ["Detection__Requests__FailureExpiry"] = "00:02:00",
        ["Detection__Pictures__Expiry"] = "00:01:30",
        ["Detection__Embedded__RedisMemoryMegabytes"] = "64",
        ["Detection__Embedded__PictureMemoryMegabytes"] = "256",
        ["Logging__LogLevel__Default"] = "Warning",
        ["Logging__Console__FormatterName"] = "simple",
        ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss ",
    };
}
