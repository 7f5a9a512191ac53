using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Messages;
using Detection.Contracts.Settings;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Access;

/// <summary>Reads the keys of the settings and of the keys file, and checks them.</summary>
internal static class KeyReader
{
    private const string FileSetting = $"{AccessOptions.Section}:{nameof(AccessOptions.KeysFile)}";
    private static readonly string[] Fields = [.. typeof(ConfiguredKey).GetProperties().Select(static property => property.Name)];

    /// <summary>The bytes of the keys file; none when there is no such setting.</summary>
    /// <exception cref="OptionsValidationException">The file cannot be read.</exception>
    public static byte[] ReadFile(AccessOptions options)
    {
        try
        {
            return options.KeysFile.Length == 0 ? [] : File.ReadAllBytes(options.KeysFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid([$"The setting '{FileSetting}' names a file that cannot be read: {e.Message}"]);
        }
    }

    /// <summary>The valid keys by their hashes.</summary>
    /// <param name="options">The settings. The keys of the file are added to them.</param>
    /// <param name="file">The bytes of the keys file.</param>
    /// <exception cref="OptionsValidationException">A key is not valid. No message has a value that could be a key by mistake.</exception>
    public static FrozenDictionary<string, ApiKey> Read(AccessOptions options, byte[] file)
    {
        var inFile = options.KeysFile.Length == 0 ? [] : AddFile(options, file);
        var faults = new List<string>();
        var keys = new Dictionary<string, ApiKey>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (entry, key) in options.Keys)
        {
            var name = key.Name.Length > 0 ? key.Name : entry;
            string Field(string field) => inFile.Contains(entry)
                ? $"{field} of the key '{CallerText.Show(entry)}' in the keys file {options.KeysFile}"
                : $"The setting '{AccessOptions.Section}:{nameof(AccessOptions.Keys)}:{entry}:{field}'";

            var rate = key.RequestsPerSecond ?? options.RequestsPerSecond;
            var burst = key.Burst ?? options.Burst;
            var uploads = key.MaxUploads ?? options.MaxUploadsPerKey;
            Require(DetectionOptions.IsCaller(name), $"The name '{CallerText.Show(name)}' of a key is not 1 to {DetectionOptions.CallerLength} letters, digits or . _ @ -");
            Require(
                key.Sha256.Length == 2 * SHA256.HashSizeInBytes && key.Sha256.All(char.IsAsciiHexDigit),
                $"{Field(nameof(key.Sha256))} is {(key.Sha256.Length == 0 ? "missing" : "not 64 hex digits")}. Use the hash that 'detection key NAME' prints.");
            Require(names.Add(name), $"There are two keys with the name '{CallerText.Show(name)}'.");
            Require(rate is 0 or (>= AccessOptions.LowestRate and <= 1_000_000), $"{Field(nameof(key.RequestsPerSecond))} is neither 0 nor from {AccessOptions.LowestRate} to 1000000.");
            Require(burst is >= 0 and <= 1_000_000, $"{Field(nameof(key.Burst))} is not from 0 to 1000000.");
            Require(uploads is >= 0 and <= 1_000_000, $"{Field(nameof(key.MaxUploads))} is not from 0 to 1000000.");
            Require(
                keys.TryAdd(key.Sha256.ToLowerInvariant(), new ApiKey(name, rate, burst, uploads, key.Administrator)) || key.Sha256.Length == 0,
                $"The key '{CallerText.Show(name)}' is the same as another.");
        }

        return faults.Count == 0 ? keys.ToFrozenDictionary(StringComparer.Ordinal) : throw Invalid(faults);

        void Require(bool valid, string fault)
        {
            if (!valid)
            {
                faults.Add(fault);
            }
        }
    }

    /// <returns>The entries of the file.</returns>
    private static HashSet<string> AddFile(AccessOptions options, byte[] bytes)
    {
        IConfiguration file;
        try
        {
            using var stream = new MemoryStream(bytes);
            file = new ConfigurationBuilder().AddJsonStream(stream).Build();
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw Invalid([$"The keys file {options.KeysFile} cannot be read: {e.Message}"]);
        }

        var keys = file.GetChildren().ToList();
        var faults = keys.SelectMany(key => FindFaults(file, key)).Select(fault => $"The keys file {options.KeysFile} is not valid. {fault}").ToList();
        if (faults.Count > 0)
        {
            throw Invalid(faults);
        }

        file.Bind(options.Keys);
        return [.. keys.Select(static key => key.Key)];
    }

    /// <summary>The binder of .NET drops a key with a value that it cannot read, and ignores unknown fields.</summary>
    private static IEnumerable<string> FindFaults(IConfiguration file, IConfigurationSection key)
    {
        var name = CallerText.Show(key.Key);
        var fields = key.GetChildren().ToList();
        if (fields.Count == 0)
        {
            return [$"The key '{name}' is not an object with the field Sha256."];
        }

        var faults = fields
            .Where(static field => !Fields.Contains(field.Key, StringComparer.OrdinalIgnoreCase))
            .Select(field => $"The key '{name}' has a field '{CallerText.Show(field.Key)}', which does not exist. {NearestName.Proposal(field.Key, Fields)}")
            .Concat(fields.Where(static field => field.GetChildren().Any()).Select(field => $"The field '{field.Key}' of the key '{name}' is not a single value."))
            .ToList();
        try
        {
            _ = file.Read<ConfiguredKey>(key.Key);
            return faults;
        }
        catch (OptionsValidationException e)
        {
            return faults.Concat(e.Failures);
        }
    }

    private static OptionsValidationException Invalid(IEnumerable<string> faults) => new(AccessOptions.Section, typeof(AccessOptions), faults);
}
