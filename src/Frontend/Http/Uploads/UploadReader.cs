using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Reads the body of a request, in any of the forms that a picture may come in, into pooled memory.</summary>
internal sealed class UploadReader(UploadMemory memory, UploadTimeout timeout, IOptions<DetectionClientOptions> client)
{
    /// <summary>The multipart field, and the JSON property, of the picture.</summary>
    public const string ImageField = "image";

    /// <summary>The JSON property of the URL.</summary>
    public const string UrlField = "url";

    // What may stand around a picture in a multipart or JSON body.
    private const int Wrapping = 64 * 1024;

    private readonly int _maxPicture = MaxPictureBytes(client.Value);
    private readonly int _maxJson = (int)Math.Min(MaxBodyBytes(client.Value), Array.MaxLength - 1);

    /// <summary>Most bytes of a body that holds the largest picture, however it is wrapped.</summary>
    public static long MaxBodyBytes(DetectionClientOptions client) => (MaxPictureBytes(client) + 2L) / 3 * 4 + Wrapping;

    /// <exception cref="ProblemException">It is not an upload, or too large, or too slow.</exception>
    /// <exception cref="UploadAbandonedException">Its sender has left.</exception>
    public ValueTask<Upload> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        timeout.ApplyAsync(limited => ReadBodyAsync(request, limited), cancellationToken);

    /// <summary>Reads an upload from its JSON, which it takes over.</summary>
    /// <exception cref="ProblemException">It is not an upload, or too large.</exception>
    public Upload Parse(PooledBytes json)
    {
        try
        {
            var upload = ParseJson(json);
            if (upload.Url is not null)
            {
                json.Dispose();
            }

            return upload;
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    /// <summary>What the client would take, and a buffer can hold.</summary>
    public static int MaxPictureBytes(DetectionClientOptions client) => Math.Min(client.MaxPictureBytes, 1 << 30);

    private ValueTask<Upload> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(request.ContentType))
        {
            return ReadPictureAsync(request, cancellationToken);
        }

        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            if (type.Type.Equals("image", StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase))
            {
                return ReadPictureAsync(request, cancellationToken);
            }

            if (type.MediaType.Equals(MultipartBody.ContentType, StringComparison.OrdinalIgnoreCase))
            {
                return MultipartBody.ReadAsync(request, () => ReadFormAsync(request, type, cancellationToken));
            }

            if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            {
                return ReadJsonAsync(request, cancellationToken);
            }
        }

        throw new ProblemException(ProblemType.UnsupportedMediaType,
            "Send the picture as image/* or application/octet-stream, as the file 'image' of multipart/form-data, or as application/json.");
    }

    private async ValueTask<Upload> ReadPictureAsync(HttpRequest request, CancellationToken cancellationToken) =>
        new(await PooledBytes.ReadAsync(request.Body, request.ContentLength, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken));

    private async ValueTask<Upload> ReadFormAsync(HttpRequest request, MediaTypeHeaderValue type, CancellationToken cancellationToken)
    {
        var sections = MultipartBody.Open(request.Body, type);
        while (await sections.ReadNextAsync(cancellationToken) is { } field)
        {
            if (field.Name == ImageField)
            {
                return new Upload(await PooledBytes.ReadAsync(field.Body, null, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken));
            }
        }

        throw new ProblemException(ProblemType.InvalidRequest, $"The form has no file named '{ImageField}'.");
    }

    private async ValueTask<Upload> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        return Parse(await PooledBytes.ReadAsync(request.Body, request.ContentLength, _maxJson, memory.ShareOf(request.HttpContext), cancellationToken));
    }

    private Upload ParseJson(PooledBytes body)
    {
        var json = PictureJson.Read(body.Span);
        if (json.Url is not null)
        {
            return new Upload(UrlParameter.Parse(UrlField, json.Url));
        }

        // The picture is decoded where it stands.
        var (start, length) = json.Image!.Value.GetOffsetAndLength(body.Span.Length);
        Base64Picture.Decode(body, start, JsonBase64.Unescape(body.Span.Slice(start, length)), ImageField, _maxPicture);
        return new Upload(body);
    }
}
