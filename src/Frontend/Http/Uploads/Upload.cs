using System.Collections.ObjectModel;

namespace Detection.Frontend.Http.Uploads;

/// <summary>What a caller sent: a picture, or the URL of one.</summary>
internal sealed class Upload : IDisposable
{
    public Upload(PooledBytes bytes) => Bytes = bytes;

    public Upload(Uri url) => Url = url;

    /// <summary>The URL, or <see langword="null"/> when it is a picture.</summary>
    public Uri? Url { get; }

    /// <summary>Parameters that stood beside the picture in the body, by their names.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The encoded picture, or <see langword="null"/> when it is a URL. Valid until the upload is disposed of.</summary>
    public PooledBytes? Bytes { get; }

    /// <summary>Gives it to the client, either way.</summary>
    public Task<T> UseAsync<T>(Func<Uri, Task<T>> useUrl, Func<ReadOnlyMemory<byte>, Task<T>> usePicture) =>
        Url is not null ? useUrl(Url) : Bytes!.UseAsync(usePicture);

    public void Dispose() => Bytes?.Dispose();
}
