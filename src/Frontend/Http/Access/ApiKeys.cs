using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
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

        // Set before the file is checked, so that an invalid file is logged once and not every two seconds.
        _fileBytes = KeyReader.ReadFile(options);
        return KeyReader.Read(options, _fileBytes);
    }

    [LoggerMessage(1, LogLevel.Information, "Requests need an API key; {Count} keys are configured.")]
    private partial void LogCount(int count);

    [LoggerMessage(2, LogLevel.Error, "Reading the API keys failed; the previous keys stay in use: {Reason}")]
    private partial void LogNotRead(string reason);
}
