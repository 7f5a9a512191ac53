using System.Collections.ObjectModel;

namespace Detection.Frontend.Http.Uploads;

/// <summary>A picture that a caller sent, or its URL.</summary>
internal sealed class Upload : IDisposable
{
    public Upload(PooledBytes bytes) => Bytes = bytes;

    public Upload(Uri url) => Url = url;

    /// <summary>The URL; <see langword="null"/> when the caller sent the picture.</summary>
    public Uri? Url { get; }

    /// <summary>The parameters beside the picture in the body, by their names.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The encoded picture; <see langword="null"/> when the caller sent a URL. Valid until the upload is disposed of.</summary>
    public PooledBytes? Bytes { get; }

    /// <summary>Passes the URL or the picture to the client.</summary>
    public Task<T> UseAsync<T>(Func<Uri, Task<T>> useUrl, Func<ReadOnlyMemory<byte>, Task<T>> usePicture) =>
        Url is not null ? useUrl(Url) : Bytes!.UseAsync(usePicture);

    public void Dispose() => Bytes?.Dispose();
}
