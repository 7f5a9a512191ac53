using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Messages;
using Detection.Contracts.Scheduling;
using Detection.Contracts.Settings;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Detection.Frontend.Http.Access;

/// <summary>The keys that are valid now, by their hashes. They are read again when configuration or the keys file changes.</summary>
internal sealed partial class ApiKeys : BackgroundService
{
    /// <summary>The file is polled, because file watchers do not see a mounted secret change: it is a link to a link.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    /// <summary>Longer texts are no keys and are not hashed.</summary>
    private const int MaxKeyLength = 256;

    private readonly Lock _gate = new();
    private readonly IConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable _following;
    private readonly string _file;
    private volatile FrozenDictionary<string, ApiKey> _byHash;
    private byte[] _fileBytes = [];

    /// <exception cref="OptionsValidationException">The keys are not valid.</exception>
    public ApiKeys(IConfiguration configuration, TimeProvider time, ILogger<ApiKeys> logger)
    {
        (_configuration, _time, _logger) = (configuration, time, logger);
        _byHash = Read();
        _file = Options().KeysFile;
        _following = ChangeToken.OnChange(configuration.GetReloadToken, ReadAgain);
        LogCount(_byHash.Count);
    }

    /// <summary>Whether any key may administer the cluster.</summary>
    public bool HasAdministrator => _byHash.Values.Any(static key => key.IsAdministrator);

    /// <summary>The key with this text; <see langword="null"/> when there is none.</summary>
    public ApiKey? Find(string key)
    {
        if (key.Length is 0 or > MaxKeyLength)
        {
            return null;
        }

        // By hash, so that the time of the look-up reveals nothing about a key.
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return _byHash.GetValueOrDefault(Convert.ToHexStringLower(hash));
    }

    public override void Dispose()
    {
        _following.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _file.Length == 0
        ? Task.CompletedTask
        : new PeriodicWork(PollInterval, _time, _logger).RunAsync(PollAsync, LogNotRead, stoppingToken);

    private Task PollAsync(CancellationToken stoppingToken)
    {
        if (HasFileChanged())
        {
            ReadAgain();
        }

        return Task.CompletedTask;
    }

    private bool HasFileChanged()
    {
        try
        {
            var bytes = File.ReadAllBytes(_file);
            lock (_gate)
            {
                return !bytes.AsSpan().SequenceEqual(_fileBytes);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotRead(e.Message);
            return false;
        }
    }

    private void ReadAgain()
    {
        lock (_gate)
        {
            try
            {
                _byHash = Read();
                LogCount(_byHash.Count);
            }
            catch (Exception e) when (e is OptionsValidationException or InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                LogNotRead(e.Message);
            }
        }
    }

    private AccessOptions Options() => _configuration.Read<AccessOptions>(AccessOptions.Section);

    private FrozenDictionary<string, ApiKey> Read()
    {
        var options = Options();
        if (options.KeysFile.Length > 0)
        {
            AddFile(options);
        }

        var keys = new Dictionary<string, ApiKey>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (entry, key) in options.Keys)
        {
            var name = key.Name.Length > 0 ? key.Name : entry;
            // A colon separates the parts of a setting's name, so the configuration reads a name with a colon as a name and a property.
            Require(DetectionOptions.IsCaller(name), $"The name '{CallerText.Show(name)}' of a key is not 1 to {DetectionOptions.CallerLength} letters, digits or . _ @ -");
            Require(key.Sha256.Length == 2 * SHA256.HashSizeInBytes && key.Sha256.All(char.IsAsciiHexDigit), $"Sha256 of the key '{name}' is not 64 hex digits. The name of a key has no colon.");
            Require(names.Add(name), $"There are two keys with the name '{name}'.");
            var rate = key.RequestsPerSecond ?? options.RequestsPerSecond;
            var burst = key.Burst ?? options.Burst;
            var uploads = key.MaxUploads ?? options.MaxUploadsPerKey;
            Require(rate is 0 or (>= AccessOptions.LowestRate and <= 1_000_000), $"RequestsPerSecond of the key '{name}' is neither 0 nor from {AccessOptions.LowestRate} to 1000000.");
            Require(burst is >= 0 and <= 1_000_000, $"Burst of the key '{name}' is not from 0 to 1000000.");
            Require(uploads is >= 0 and <= 1_000_000, $"MaxUploads of the key '{name}' is not from 0 to 1000000.");
            Require(keys.TryAdd(key.Sha256.ToLowerInvariant(), new ApiKey(name, rate, burst, uploads, key.Administrator)), $"The key '{name}' is the same as another.");
        }

        return keys.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private void AddFile(AccessOptions options)
    {
        try
        {
            // Set before the file is parsed, so that an invalid file is logged once and not every two seconds.
            _fileBytes = File.ReadAllBytes(options.KeysFile);
            using var stream = new MemoryStream(_fileBytes);
            new ConfigurationBuilder().AddJsonStream(stream).Build().Bind(options.Keys);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException or InvalidOperationException)
        {
            throw Invalid($"The keys file {options.KeysFile} cannot be read: {e.Message}");
        }
    }

    private static void Require(bool valid, string fault)
    {
        if (!valid)
        {
            throw Invalid(fault);
        }
    }

    private static OptionsValidationException Invalid(string fault) => new(AccessOptions.Section, typeof(AccessOptions), [fault]);

    [LoggerMessage(1, LogLevel.Information, "Requests need an API key; {Count} keys are configured.")]
    private partial void LogCount(int count);

    [LoggerMessage(2, LogLevel.Error, "Reading the API keys failed; the previous keys stay in use: {Reason}")]
    private partial void LogNotRead(string reason);
}
