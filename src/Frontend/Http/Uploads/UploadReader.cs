using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Reads a picture or a URL from the body of a request, in any supported content type, into pooled memory.</summary>
internal sealed class UploadReader(UploadMemory memory, UploadTimeout timeout, IOptions<DetectionClientOptions> client)
{
    /// <summary>The multipart field, and the JSON property, of the picture.</summary>
    public const string ImageField = "image";

    /// <summary>The JSON property of the URL.</summary>
    public const string UrlField = "url";

    // Bytes of a multipart or JSON body besides the picture.
    private const int Wrapping = 64 * 1024;

    private readonly int _maxPicture = MaxPictureBytes(client.Value);
    private readonly int _maxJson = (int)Math.Min(MaxBodyBytes(client.Value), Array.MaxLength - 1);

    /// <summary>Maximum number of bytes of a body with the largest picture, in any content type.</summary>
    public static long MaxBodyBytes(DetectionClientOptions client) => (MaxPictureBytes(client) + 2L) / 3 * 4 + Wrapping;

    /// <param name="request">The request.</param>
    /// <param name="known">Names of the parameters that a form or JSON may have beside the picture.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">The body has no picture, or is too large or too slow.</exception>
    /// <exception cref="UploadAbandonedException">The client disconnected.</exception>
    public ValueTask<Upload> ReadAsync(HttpRequest request, IReadOnlyCollection<string> known, CancellationToken cancellationToken) =>
        timeout.ApplyAsync(limited => ReadBodyAsync(request, new BodyFields(known), limited), cancellationToken);

    /// <summary>Reads an upload from JSON. It owns <paramref name="json"/> afterwards.</summary>
    /// <exception cref="ProblemException">The JSON has no picture, or the picture is too large.</exception>
    public Upload Parse(PooledBytes json, IReadOnlyCollection<string> known) => Parse(json, new BodyFields(known));

    private Upload Parse(PooledBytes json, BodyFields fields)
    {
        try
        {
            var upload = ParseJson(json, fields);
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

    /// <summary>Maximum number of bytes of a picture: the client's setting, at most 1 GiB.</summary>
    public static int MaxPictureBytes(DetectionClientOptions client) => Math.Min(client.MaxPictureBytes, 1 << 30);

    private ValueTask<Upload> ReadBodyAsync(HttpRequest request, BodyFields fields, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(request.ContentType))
        {
            return ReadUntypedAsync(request, fields, cancellationToken);
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
                return MultipartBody.ReadAsync(request, () => ReadFormAsync(request, type, fields, cancellationToken));
            }

            if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            {
                return ReadJsonAsync(request, fields, cancellationToken);
            }
        }

        throw new ProblemException(ProblemType.UnsupportedMediaType,
            $"The content type is '{CallerText.Show(request.ContentType)}'. Send the picture as image/* or application/octet-stream, as the file 'image' of multipart/form-data, or as application/json.");
    }

    private async ValueTask<Upload> ReadPictureAsync(HttpRequest request, CancellationToken cancellationToken) =>
        new(await PooledBytes.ReadAsync(request.Body, request.ContentLength, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken));

    /// <summary>Reads a body without a content type: JSON, a <c>data:</c> URL, or a picture.</summary>
    private async ValueTask<Upload> ReadUntypedAsync(HttpRequest request, BodyFields fields, CancellationToken cancellationToken)
    {
        var body = await PooledBytes.ReadAsync(request.Body, request.ContentLength, _maxJson, memory.ShareOf(request.HttpContext), cancellationToken);
        try
        {
            var start = TextStart.Of(body.Span);
            if (body.Span[start..].StartsWith("{"u8))
            {
                return Parse(body, fields);
            }

            if (Base64Picture.IsDataUrl(body.Span[start..]))
            {
                Base64Picture.Decode(body, start, body.Span.Length - start, "body", _maxPicture);
            }
            else if (body.Span[start..].StartsWith("--"u8))
            {
                throw new ProblemException(ProblemType.UnsupportedMediaType, "The body looks like a form, but has no content type. Send 'multipart/form-data' with its boundary.");
            }

            return body.Memory.Length <= _maxPicture ? new Upload(body) : throw ProblemException.TooLarge(_maxPicture);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private async ValueTask<Upload> ReadFormAsync(HttpRequest request, MediaTypeHeaderValue type, BodyFields fields, CancellationToken cancellationToken)
    {
        var share = memory.ShareOf(request.HttpContext);
        PooledBytes? picture = null;
        string? url = null;
        try
        {
            var sections = MultipartBody.Open(request, type);
            while (await sections.ReadNextAsync(cancellationToken) is { } field)
            {
                if (field.Name is ImageField or UrlField)
                {
                    if (picture is not null || url is not null)
                    {
                        throw new ProblemException(
                            ProblemType.InvalidRequest, $"The form has more than one '{ImageField}' or '{UrlField}'. Send one picture, or several to /v1/detections/batch.");
                    }

                    if (field.Name == ImageField)
                    {
                        picture = await PooledBytes.ReadAsync(field.Body, null, _maxPicture, share, cancellationToken);
                    }
                    else
                    {
                        url = await BodyFields.ReadTextAsync(field.Name, field.Body, share, cancellationToken);
                    }
                }
                else
                {
                    fields.RequireKnown(field.Name);
                    fields.Add(field.Name, await BodyFields.ReadTextAsync(field.Name, field.Body, share, cancellationToken));
                }
            }

            return picture is not null ? new Upload(picture) { Fields = fields.Texts }
                : url is not null ? new Upload(UrlParameter.Parse(UrlField, url.Trim())) { Fields = fields.Texts }
                : throw new ProblemException(ProblemType.InvalidRequest, $"The form has no file named '{ImageField}'.");
        }
        catch
        {
            picture?.Dispose();
            throw;
        }
    }

    private async ValueTask<Upload> ReadJsonAsync(HttpRequest request, BodyFields fields, CancellationToken cancellationToken) =>
        Parse(await PooledBytes.ReadAsync(request.Body, request.ContentLength, _maxJson, memory.ShareOf(request.HttpContext), cancellationToken), fields);

    private Upload ParseJson(PooledBytes body, BodyFields fields)
    {
        // A byte order mark is not part of the JSON.
        var start = TextStart.Of(body.Span);
        body.Slice(start, body.Span.Length - start);
        var json = PictureJson.Read(body.Span, fields);
        if (json.Url is not null)
        {
            return new Upload(UrlParameter.Parse(UrlField, json.Url)) { Fields = fields.Texts };
        }

        (start, var length) = json.Image!.Value.GetOffsetAndLength(body.Span.Length);
        Base64Picture.Decode(body, start, JsonBase64.Unescape(body.Span.Slice(start, length)), ImageField, _maxPicture);
        return new Upload(body) { Fields = fields.Texts };
    }
}
