using System.ComponentModel.DataAnnotations;

namespace Detection.Frontend.Http.Access;

/// <summary>
/// Who may come in, and how often: section <c>Detection:Access</c>. Keys are asked for when the process starts with <see cref="Keys"/>
/// or a <see cref="KeysFile"/>. The keys, with their limits, are read again when configuration or the file changes; what is not
/// valid then is logged, and the keys before it stay.
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
    /// A JSON file with more keys, <c>{"NAME": {"Sha256": "…"}}</c>; empty for none. It is looked at every two seconds, so that a
    /// mounted secret works as well.
    /// </summary>
    public string KeysFile { get; set; } = "";

    /// <summary>Requests per second of each key that has no number of its own, in this process; 0 for no limit, or 0.001 to 1,000,000.</summary>
    [Range(0.0, 1_000_000.0)]
    public double RequestsPerSecond { get; set; }

    /// <summary>Requests that a key may make at once after it has rested; 0 for those of one second. To 1,000,000.</summary>
    [Range(0, 1_000_000)]
    public int Burst { get; set; }

    /// <summary>Uploads (POST requests under way) of each key that has no number of its own, in this process; 0 for no limit. To 1,000,000.</summary>
    [Range(0, 1_000_000)]
    public int MaxUploadsPerKey { get; set; }

    /// <summary>Uploads (POST requests under way) of all callers together, with and without keys, in this process. 1 to 1,000,000; default 4096.</summary>
    [Range(1, 1_000_000)]
    public int MaxUploads { get; set; } = 4096;

    /// <summary>
    /// Other requests than uploads under way of each key, in this process: those that wait for an answer and streams of events too; 0
    /// for no limit. To 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MaxReadsPerKey { get; set; }

    /// <summary>Other requests than uploads under way of all callers together, in this process. 1 to 1,000,000; default 4096.</summary>
    [Range(1, 1_000_000)]
    public int MaxReads { get; set; } = 4096;

    /// <summary>
    /// How much of <see cref="MaxUploads"/>, and of <see cref="MaxReads"/>, one key, or one address where no keys are asked for, may hold when
    /// it is alone; with others the same share of what they leave. 0.01 to 1, which is no limit; default 0.5.
    /// </summary>
    [Range(0.01, 1.0)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>Whether keys are asked for.</summary>
    internal bool AreKeysAsked => Keys.Count > 0 || KeysFile.Length > 0;
}

/// <summary>A key as it is configured: its hash, never the key.</summary>
public sealed class ConfiguredKey
{
    /// <summary>
    /// Name of the key; empty when it is the one that it is configured under. Environment variables and lists have no room for all names.
    /// </summary>
    public string Name { get; set; } = "";

    /// <summary>SHA-256 of the key's text, 64 hex digits. <c>detection key NAME</c> makes a key and its hash.</summary>
    public string Sha256 { get; set; } = "";

    /// <summary>As <see cref="AccessOptions.RequestsPerSecond"/>; <see langword="null"/> for that.</summary>
    public double? RequestsPerSecond { get; set; }

    /// <summary>As <see cref="AccessOptions.Burst"/>; <see langword="null"/> for that.</summary>
    public int? Burst { get; set; }

    /// <summary>As <see cref="AccessOptions.MaxUploadsPerKey"/>; <see langword="null"/> for that.</summary>
    public int? MaxUploads { get; set; }
}
