namespace Detection.Frontend.Http.Uploads;

/// <summary>What a caller sent: a picture, or the URL of one.</summary>
internal sealed class Upload : IDisposable
{
    private readonly PooledBytes? _bytes;

    public Upload(PooledBytes bytes) => _bytes = bytes;

    public Upload(Uri url) => Url = url;

    /// <summary>The URL, or <see langword="null"/> when it is a picture.</summary>
    public Uri? Url { get; }

    /// <summary>The encoded picture; empty when it is a URL. Valid until the upload is disposed of.</summary>
    public ReadOnlyMemory<byte> Picture => _bytes?.Memory ?? default;

    /// <inheritdoc cref="PooledBytes.Abandon"/>
    public void Abandon() => _bytes?.Abandon();

    public void Dispose() => _bytes?.Dispose();
}
