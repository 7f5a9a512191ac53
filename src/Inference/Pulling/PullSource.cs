using Detection.Inference.Repository;

namespace Detection.Inference.Pulling;

/// <summary>Where a model comes from.</summary>
public abstract class PullSource
{
    /// <summary>Forms that <see cref="Parse"/> reads, for messages.</summary>
    private const string Forms = "https://HOST/PATH, hf:OWNER/REPO[@REVISION][/FILE], s3://BUCKET/KEY, az://ACCOUNT/CONTAINER/BLOB, gs://BUCKET/OBJECT or oci://REGISTRY/REPOSITORY[:TAG]";

    private protected PullSource(string text) => Text = text;

    /// <summary>The source as it was written. The query of a URL may be a secret.</summary>
    public string Text { get; }

    /// <summary>The source for people: without the query of a URL.</summary>
    public string Shown => Text.Split('?')[0];

    /// <summary>The name that the model has unless another is given; <see langword="null"/> when the source has none that a model could have.</summary>
    public string? ModelName => Names.FirstOrDefault(ModelFile.IsName);

    /// <summary>Whether the same text always means the same bytes once the SHA-256 of the graph is known.</summary>
    internal virtual bool NeedsSha256 => false;

    /// <summary>Names that the model may have, the best first.</summary>
    private protected abstract IEnumerable<string> Names { get; }

    /// <summary>Reads a source.</summary>
    /// <exception cref="PullException">It is none; the message says what to write.</exception>
    public static PullSource Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var scheme = text.Split(':')[0];
        return scheme.ToLowerInvariant() switch
        {
            "https" or "http" => new UrlSource(text),
            "hf" => new HuggingFaceSource(text),
            "s3" => new S3Source(text),
            "az" => new AzureBlobSource(text),
            "gs" => new GoogleStorageSource(text),
            "oci" => new OciSource(text),
            _ => throw Unreadable(text),
        };
    }

    /// <summary>The server that a token is for.</summary>
    internal abstract Uri ServerOf(PullOptions options);

    /// <summary>Finds the files.</summary>
    /// <param name="http">Sends requests.</param>
    /// <param name="token">The token for the source's server; <see langword="null"/> for none.</param>
    /// <param name="revision">The state of the source to find, as <see cref="RemoteModel.Revision"/>; <see langword="null"/> for the one that the source names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PullException">The source does not have a model, or cannot be reached.</exception>
    internal abstract Task<RemoteModel> FindAsync(PullHttp http, string? token, string? revision, CancellationToken cancellationToken);

    private protected static PullException Unreadable(string text) => new($"'{text.Split('?')[0]}' is not a source of a model. Use {Forms}.");
}
