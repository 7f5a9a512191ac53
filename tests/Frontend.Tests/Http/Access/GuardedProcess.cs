using System.Security.Cryptography;
using System.Text;

namespace Detection.Frontend.Tests.Http.Access;

/// <summary>A front end in one-process mode that requires keys, with one device thread and a short queue. Keys are in the settings and in a file.</summary>
public sealed class GuardedProcess : IAsyncLifetime
{
    /// <summary>A key without limits.</summary>
    public const string Free = "key-of-free";

    /// <summary>Another key without limits.</summary>
    public const string Flood = "key-of-flood";

    /// <summary>A key with three requests at once, then one in a quarter of an hour.</summary>
    public const string Rare = "key-of-rare";

    /// <summary>A key with one upload at a time.</summary>
    public const string Single = "key-of-single";

    /// <summary>One that may administer the cluster.</summary>
    public const string Administrator = "key-of-ops";

    private readonly string _file = Path.GetTempFileName();
    private DetectionProcess? _process;

    public DetectionProcess Process => _process ?? throw new InvalidOperationException("Not started.");

    public HttpClient Http => Process.Http;

    public async ValueTask InitializeAsync()
    {
        WriteFile("{}");
        _process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__CpuWorkers"] = "1",
            ["Detection__Batching__MaxBatch"] = "1",
            ["Detection__Queue__Capacity"] = "8",
            ["Detection__Access__KeysFile"] = _file,
            ["Detection__Access__Keys__free__Sha256"] = Hash(Free),
            ["Detection__Access__Keys__flood__Sha256"] = Hash(Flood).ToUpperInvariant(),
            ["Detection__Access__Keys__ops__Sha256"] = Hash(Administrator),
            ["Detection__Access__Keys__ops__Administrator"] = "true",
            ["Detection__Access__Keys__rare__Sha256"] = Hash(Rare),
            ["Detection__Access__Keys__rare__RequestsPerSecond"] = "0.001",
            ["Detection__Access__Keys__rare__Burst"] = "3",
            ["Detection__Access__Keys__single__Sha256"] = Hash(Single),
            ["Detection__Access__Keys__single__MaxUploads"] = "1",
        });
        await _process.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        File.Delete(_file);
    }

    public void WriteFile(string json) => File.WriteAllText(_file, json);

    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Sends a request with or without a key.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? key = null, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        if (key is not null)
        {
            request.Headers.Add("X-API-Key", key);
        }

        return Http.SendAsync(request);
    }
}
