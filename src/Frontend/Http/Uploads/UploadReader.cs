using System.Text.Json;
using Detection.Client;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.WebUtilities;
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

    /// <summary>Most bytes of a URL; longer ones are not fetched by anybody.</summary>
    private const int MaxUrlBytes = 8192;

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

            if (type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
            {
                return ReadFormAsync(request, type, cancellationToken);
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
        try
        {
            var sections = MultipartBody.Open(request.Body, type);
            while (await sections.ReadNextAsync(cancellationToken) is { } section)
            {
                if (section.GetContentDispositionHeader() is { } disposition
                    && HeaderUtilities.RemoveQuotes(disposition.Name).Equals(ImageField, StringComparison.Ordinal))
                {
                    return new Upload(await PooledBytes.ReadAsync(section.Body, null, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken));
                }
            }
        }
        catch (Exception e) when (MultipartBody.IsFault(e, request))
        {
            throw MultipartBody.Fault(e);
        }

        throw new ProblemException(ProblemType.InvalidRequest, $"The form has no file named '{ImageField}'.");
    }

    private async ValueTask<Upload> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        return Parse(await PooledBytes.ReadAsync(request.Body, request.ContentLength, _maxJson, memory.ShareOf(request.HttpContext), cancellationToken));
    }

    /// <summary>Reads <c>{"url": …}</c> or <c>{"image": base64}</c>; the picture is decoded where it stands.</summary>
    /// <exception cref="ProblemException">It is neither.</exception>
    private Upload ParseJson(PooledBytes body)
    {
        string? url = null;
        Range? image = null;
        try
        {
            var reader = new Utf8JsonReader(body.Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                throw NotUnderstood();
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isUrl = reader.ValueTextEquals(UrlField);
                var isImage = reader.ValueTextEquals(ImageField);
                reader.Read();
                if ((isUrl || isImage) && reader.TokenType != JsonTokenType.String)
                {
                    throw NotUnderstood();
                }

                if (isUrl)
                {
                    url = reader.ValueSpan.Length <= MaxUrlBytes
                        ? reader.GetString()
                        : throw new ProblemException(ProblemType.InvalidRequest, $"The '{UrlField}' has more than {MaxUrlBytes} bytes.");
                }
                else if (isImage)
                {
                    // The value without its quotes. Unescaping never makes it longer, so it can be done in place later.
                    var start = (int)reader.TokenStartIndex + 1;
                    image = start..(start + reader.ValueSpan.Length);
                }
                else
                {
                    reader.Skip();
                }
            }

            // To the end, so that a truncated body or one with something behind it is noticed.
            while (reader.Read())
            {
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is how the reader says that a text is not Unicode: a lone surrogate, bytes that are not UTF-8.
            throw new ProblemException(ProblemType.InvalidRequest, "The body is not valid JSON.", e);
        }

        if (url is null == image is null)
        {
            throw NotUnderstood();
        }

        if (url is not null)
        {
            return Uri.TryCreate(url, UriKind.Absolute, out var address)
                ? new Upload(address)
                : throw new ProblemException(ProblemType.InvalidRequest, $"The '{UrlField}' is not an absolute URL.");
        }

        DecodeBase64(body, image!.Value);
        return new Upload(body);
    }

    private void DecodeBase64(PooledBytes body, Range range)
    {
        var (start, length) = range.GetOffsetAndLength(body.Span.Length);
        var text = body.Span.Slice(start, length);
        Base64Picture.Decode(body, start, JsonBase64.Unescape(text), ImageField, _maxPicture);
    }

    private static ProblemException NotUnderstood() =>
        new(ProblemType.InvalidRequest, $"The body must be a JSON object with either '{UrlField}' or '{ImageField}', a string.");
}
