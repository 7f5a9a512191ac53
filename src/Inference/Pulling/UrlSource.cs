namespace Detection.Inference.Pulling;

/// <summary>A file at an address: <c>https://HOST/PATH</c>. Weights of the graph are beside it.</summary>
internal sealed class UrlSource : PullSource
{
    private readonly Uri _url;

    public UrlSource(string text)
        : base(text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.IdnHost.Length == 0)
        {
            throw Unreadable(text);
        }

        _url = url.UserInfo.Length == 0 ? url : throw new PullException($"The source on {url.IdnHost} has a user name or password in its address. Set it as the token of the source.");
    }

    /// <summary>Whoever is on the way can replace what arrives without TLS.</summary>
    internal override bool NeedsSha256 => _url.Scheme != Uri.UriSchemeHttps;

    private protected override IEnumerable<string> Names =>
        _url.Segments.Reverse().Select(static part => Path.GetFileNameWithoutExtension(part.Trim('/'))).Where(static name => name is not "model");

    internal override Uri ServerOf(PullOptions options) => _url;

    internal override Task<RemoteModel> FindAsync(PullHttp http, string? token, string? revision, CancellationToken cancellationToken)
    {
        var credential = PullCredential.Of(_url, token);
        return Task.FromResult(new RemoteModel(
            null,
            new RemoteFile("model.onnx", _url, credential),
            name => new RemoteFile(name, new Uri(_url, Uri.EscapeDataString(name) + _url.Query), credential)));
    }
}
