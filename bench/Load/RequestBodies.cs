using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Detection.Bench.Measuring;

namespace Detection.Bench.Load;

/// <summary>
/// Requests as bytes, created at almost no cost: the bytes of the photos are never copied; only the bytes before them
/// are written for each request.
/// </summary>
internal sealed class RequestBodies
{
    private readonly PhotoSet _photos;
    private readonly LoadOptions _options;
    private readonly string _head;
    private readonly string _run = Guid.NewGuid().ToString("N");
    private readonly byte[][] _gets = [];

    public RequestBodies(PhotoSet photos, LoadOptions options)
    {
        (_photos, _options) = (photos, options);
        var query = string.Join('&', new[] { options.Model is { } model ? $"model={model}" : null, options.Query }.Where(part => part is not null));
        query = query.Length > 0 ? "?" + query : "";
        var key = options.Key is { } sent ? $"\r\nX-API-Key: {sent}" : "";
        _head = $"POST /v1/detections{query} HTTP/1.1\r\nHost: {options.Url.Authority}{key}\r\nContent-Type: image/jpeg\r\nContent-Length: ";
        if (options.ByKey)
        {
            _gets = [.. Enumerable.Range(0, options.Repeated!.Value).Select(i => Encoding.ASCII.GetBytes(
                $"GET /v1/detections/{Key(i)}{query} HTTP/1.1\r\nHost: {options.Url.Authority}{key}\r\n\r\n"))];
        }
    }

    /// <summary>Parts of the request number <paramref name="number"/>, in the order in which they are sent.</summary>
    public void Write(long number, List<ArraySegment<byte>> parts)
    {
        parts.Clear();
        if (_options.ByKey)
        {
            parts.Add(_gets[number % _gets.Length]);
            return;
        }

        WritePost(_options.Repeated is { } repeated ? number % repeated : number, parts);
    }

    /// <summary>As <see cref="Write"/>, always with the picture.</summary>
    public void WritePost(long picture, List<ArraySegment<byte>> parts)
    {
        parts.Clear();
        var photo = Photo(picture);
        var prefix = PhotoSet.Prefix(Comment(picture));
        var head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_head}{prefix.Length + photo.Length - 2}\r\n\r\n"));
        var start = new byte[head.Length + prefix.Length];
        head.CopyTo(start, 0);
        prefix.CopyTo(start, head.Length);
        parts.Add(start);
        parts.Add(new ArraySegment<byte>(photo, 2, photo.Length - 2));
    }

    private byte[] Photo(long picture) => _photos.Photos[(int)(picture % _photos.Photos.Count)];

    private string Comment(long picture) => $"{_run} {picture}";

    private string Key(long picture) =>
        Convert.ToHexStringLower(SHA256.HashData([.. PhotoSet.Prefix(Comment(picture)), .. Photo(picture).AsSpan(2)]));
}
