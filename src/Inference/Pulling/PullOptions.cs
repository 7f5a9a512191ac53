using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Pulling;

/// <summary>Limits and servers of pulling models: section <c>Detection:Models:Pull</c>.</summary>
public sealed class PullOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Models:Pull";

    /// <summary>Maximum number of bytes of a model with its weights, 1 to 1 TiB. Default 4 GiB.</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxBytes { get; set; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Maximum time without a byte from the server, 100 ms to 1 h. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Maximum time of a whole pull, 1 s to 1 day. Default 2 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Pause before a failed download is continued, 10 ms to 1 h; it doubles from one failure to the next, up to 5 minutes. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Address of the Hugging Face Hub, or of a mirror with its API. Default <c>https://huggingface.co</c>.</summary>
    public Uri HuggingFace { get; set; } = new("https://huggingface.co");

    /// <summary>Address of a store with the protocol of S3, which has its buckets as paths; <see langword="null"/> for Amazon S3.</summary>
    public Uri? S3 { get; set; }

    /// <summary>Region of S3. Default <c>us-east-1</c>.</summary>
    [RegularExpression("[a-z0-9-]{1,40}", ErrorMessage = "The setting '{0}' must be the name of a region, such as us-east-1.")]
    public string S3Region { get; set; } = "us-east-1";

    /// <summary>Address of a store with the protocol of Azure Blob Storage, which has its accounts as paths; <see langword="null"/> for Azure.</summary>
    public Uri? AzureBlob { get; set; }

    /// <summary>Address of Google Cloud Storage. Default <c>https://storage.googleapis.com</c>.</summary>
    public Uri GoogleStorage { get; set; } = new("https://storage.googleapis.com");

    /// <summary>Tokens for servers, under any names. A source with a token of its own uses that.</summary>
    public Dictionary<string, ServerToken> Tokens { get; } = new(StringComparer.Ordinal);

    /// <summary>Hosts from which silos pull although they are not public, besides those of <c>Detection:Fetch:AllowedHosts</c>, in its form.</summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Networks from which silos pull although they are not public, besides those of <c>Detection:Fetch:AllowedNetworks</c>, in its form.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>Ports from which silos pull, besides 80, 443 and those of <c>Detection:Fetch:AllowedPorts</c>.</summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>The token for the server of a source; <see langword="null"/> for none.</summary>
    public string? TokenFor(PullSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return TokenFor(source.ServerOf(this));
    }

    /// <summary>The token for a server; <see langword="null"/> for none.</summary>
    internal string? TokenFor(Uri address)
    {
        var server = PullHttp.NameOf(address);
        return Tokens.Values.FirstOrDefault(token => token.Host.Equals(server, StringComparison.OrdinalIgnoreCase))?.Token;
    }
}

/// <summary>A token for a server.</summary>
public sealed class ServerToken
{
    /// <summary>The server: <c>huggingface.co</c>, or <c>HOST:PORT</c> for a port that is not that of its scheme.</summary>
    public string Host { get; set; } = "";

    /// <summary>The token, or <c>user:password</c>. It is sent to this server only.</summary>
    public string Token { get; set; } = "";
}
