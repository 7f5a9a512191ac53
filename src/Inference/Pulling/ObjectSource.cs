using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Detection.Inference.Pulling;

/// <summary>
/// An object of a store: <c>s3://BUCKET/KEY</c>, <c>az://ACCOUNT/CONTAINER/BLOB</c>, <c>gs://BUCKET/OBJECT</c>. One signed GET request for each file
/// is all that is needed, so the libraries of the stores are not used.
/// </summary>
internal abstract class ObjectSource : PullSource
{
    private protected ObjectSource(string text)
        : base(text)
    {
        // The names of buckets and accounts become a part of a host.
        if (Regex.Match(text, @"\A\w+://([A-Za-z0-9][A-Za-z0-9._-]*)/([^?#\\]+)\z") is not { Success: true } parts || parts.Groups[2].Value.Split('/').Any(static part => part is "" or "." or ".."))
        {
            throw Unreadable(text);
        }

        (Bucket, Key) = (parts.Groups[1].Value, parts.Groups[2].Value);
    }

    /// <summary>The bucket or the account.</summary>
    private protected string Bucket { get; }

    /// <summary>The rest of the path.</summary>
    private protected string Key { get; }

    private protected override IEnumerable<string> Names =>
        Key.Split('/').Reverse().Select(Path.GetFileNameWithoutExtension).OfType<string>().Where(static name => name is not "model");

    internal override Task<RemoteModel> FindAsync(PullHttp http, string? token, string? revision, CancellationToken cancellationToken)
    {
        var folder = Key[..(Key.LastIndexOf('/') + 1)];
        return Task.FromResult(new RemoteModel(null, FileOf(Key, PullPlace.GraphName), name => FileOf(folder + name, name)));

        RemoteFile FileOf(string key, string name)
        {
            var url = UrlOf(http.Options, string.Join('/', key.Split('/').Select(Uri.EscapeDataString)));
            return CanSend(url, token) ? Remote(name, url, token!, http) : new RemoteFile(name, url, null);
        }
    }

    /// <summary>The address of a key, which is escaped already.</summary>
    private protected abstract Uri UrlOf(PullOptions options, string key);

    /// <summary>The file with the proof that the store needs.</summary>
    private protected abstract RemoteFile Remote(string name, Uri url, string token, PullHttp http);

    private protected static PullCredential Bearer(Uri url, string token) =>
        new(url, request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));

    private static bool CanSend(Uri url, string? token) => token is not null && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback);
}

/// <summary>Amazon S3, or a store with its protocol.</summary>
internal sealed class S3Source(string text) : ObjectSource(text)
{
    internal override Uri ServerOf(PullOptions options) => options.S3 ?? new($"https://s3.{options.S3Region}.amazonaws.com");

    private protected override Uri UrlOf(PullOptions options, string key) =>

        // The certificates of AWS do not cover names with further dots.
        options.S3 is null && !Bucket.Contains('.', StringComparison.Ordinal) ? new($"https://{Bucket}.s3.{options.S3Region}.amazonaws.com/{key}")
        : new($"{ServerOf(options).AbsoluteUri.TrimEnd('/')}/{Bucket}/{key}");

    private protected override RemoteFile Remote(string name, Uri url, string token, PullHttp http) =>
        new(name, url, AwsSignature.Of(token, http.Options.S3Region, http.Time) is { } key ? new PullCredential(url, key.Sign) : throw new PullException("The token of a source s3: is ACCESS:SECRET or ACCESS:SECRET:SESSION."));
}

/// <summary>Google Cloud Storage, with its XML API.</summary>
internal sealed class GoogleStorageSource(string text) : ObjectSource(text)
{
    internal override Uri ServerOf(PullOptions options) => options.GoogleStorage;

    private protected override Uri UrlOf(PullOptions options, string key) => new($"{ServerOf(options).AbsoluteUri.TrimEnd('/')}/{Bucket}/{key}");

    private protected override RemoteFile Remote(string name, Uri url, string token, PullHttp http) =>
        new(name, url, AwsSignature.Of(token, "auto", http.Time) is { } key ? new PullCredential(url, key.Sign) : Bearer(url, token));
}

/// <summary>Azure Blob Storage.</summary>
internal sealed class AzureBlobSource(string text) : ObjectSource(text)
{
    internal override Uri ServerOf(PullOptions options) => options.AzureBlob ?? new($"https://{Bucket}.blob.core.windows.net");

    private protected override Uri UrlOf(PullOptions options, string key) =>
        new(options.AzureBlob is null ? $"{ServerOf(options).AbsoluteUri.TrimEnd('/')}/{key}" : $"{options.AzureBlob.AbsoluteUri.TrimEnd('/')}/{Bucket}/{key}");

    private protected override RemoteFile Remote(string name, Uri url, string token, PullHttp http) =>
        token.Contains("sig=", StringComparison.Ordinal) ? new(name, new UriBuilder(url) { Query = token.TrimStart('?') }.Uri, new PullCredential(url, AzureSignature.AddVersion))
        : AzureSignature.Of(Bucket, token, http.Time) is { } key ? new(name, url, new PullCredential(url, key.Sign))
        : new(name, url, new PullCredential(url, request =>
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            AzureSignature.AddVersion(request);
        }));
}
