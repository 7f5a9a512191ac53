using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Access;

/// <summary>
/// API keys and limits of callers: section <c>Detection:Access</c>. Requests need a key when the process starts with <see cref="Keys"/> or a
/// <see cref="KeysFile"/>. The keys and their limits are read again when configuration or the file changes; when they are not valid then, an
/// error is logged and the previous keys stay.
/// </summary>
public sealed class AccessOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Access";

    /// <summary>Lowest limit of requests per second.</summary>
    internal const double LowestRate = 0.001;

    /// <summary>The keys by their names: 1 to 100 letters, digits and <c>. _ @ -</c>.</summary>
    public Dictionary<string, ConfiguredKey> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// A JSON file with more keys, <c>{"NAME": {"Sha256": "…"}}</c>; empty for none. It is checked every two seconds for changes, so it may be
    /// a mounted secret.
    /// </summary>
    public string KeysFile { get; set; } = "";

    /// <summary>Maximum requests per second of each key, in this process; 0 for no limit, or 0.001 to 1,000,000. A key may replace it.</summary>
    [Range(0.0, 1_000_000.0)]
    public double RequestsPerSecond { get; set; }

    /// <summary>Number of requests that a key may send at once after a pause, up to 1,000,000; 0 for the requests of one second. A key may replace it.</summary>
    [Range(0, 1_000_000)]
    public int Burst { get; set; }

    /// <summary>Maximum number of concurrent uploads (POST requests) of each key, in this process, up to 1,000,000; 0 for no limit. A key may replace it.</summary>
    [Range(0, 1_000_000)]
    public int MaxUploadsPerKey { get; set; }

    /// <summary>Maximum number of concurrent uploads (POST requests) of all callers, in this process. 1 to 1,000,000; default 4096.</summary>
    [Range(1, 1_000_000)]
    public int MaxUploads { get; set; } = 4096;

    /// <summary>
    /// Maximum number of concurrent requests of each key that are not uploads, in this process, up to 1,000,000; 0 for no limit. Requests that
    /// wait for an answer and streams of events count.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MaxReadsPerKey { get; set; }

    /// <summary>Maximum number of concurrent requests of all callers that are not uploads, in this process. 1 to 1,000,000; default 4096.</summary>
    [Range(1, 1_000_000)]
    public int MaxReads { get; set; } = 4096;

    /// <summary>
    /// Share of <see cref="MaxUploads"/>, and of <see cref="MaxReads"/>, that one caller may hold, of what the other callers leave. A caller is
    /// a key, or an address when the server requires no keys. 0.01 to 1, which is no limit; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>Whether requests need a key.</summary>
    internal bool RequiresKeys => Keys.Count > 0 || KeysFile.Length > 0;
}

/// <summary>The settings of a key. They have its hash, never the key.</summary>
public sealed class ConfiguredKey
{
    /// <summary>
    /// Name of the key; empty when it is the name of the section. Environment variables and lists cannot have all names as a section.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>SHA-256 of the key's text, 64 hex digits. <c>detection key NAME</c> creates a key and its hash.</summary>
    public string Sha256 { get; set; } = "";

    /// <summary>Whether the key may administer the cluster: retry models, drain silos, read dead letters. Default false.</summary>
    public bool Administrator { get; set; }

    /// <summary>Replaces <see cref="AccessOptions.RequestsPerSecond"/> unless it is <see langword="null"/>.</summary>
    public double? RequestsPerSecond { get; set; }

    /// <summary>Replaces <see cref="AccessOptions.Burst"/> unless it is <see langword="null"/>.</summary>
    public int? Burst { get; set; }

    /// <summary>Replaces <see cref="AccessOptions.MaxUploadsPerKey"/> unless it is <see langword="null"/>.</summary>
    public int? MaxUploads { get; set; }
}

/// <summary>Checks the keys at the start, before anything runs.</summary>
internal sealed class AccessOptionsValidator : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        try
        {
            _ = KeyReader.Read(options, KeyReader.ReadFile(options));
            return ValidateOptionsResult.Success;
        }
        catch (OptionsValidationException e)
        {
            return ValidateOptionsResult.Fail(e.Failures);
        }
    }
}
