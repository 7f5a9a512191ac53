using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
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

    /// <param name="request">The request.</param>
    /// <param name="known">Names of the parameters that may stand beside the picture in a form or in JSON.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">It is not an upload, or too large, or too slow.</exception>
    /// <exception cref="UploadAbandonedException">Its sender has left.</exception>
    public ValueTask<Upload> ReadAsync(HttpRequest request, IReadOnlyCollection<string> known, CancellationToken cancellationToken) =>
        timeout.ApplyAsync(limited => ReadBodyAsync(request, new BodyFields(known), limited), cancellationToken);

    /// <summary>Reads an upload from its JSON, which it takes over.</summary>
    /// <exception cref="ProblemException">It is not an upload, or too large.</exception>
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

    /// <summary>What the client would take, and a buffer can hold.</summary>
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

    /// <summary>A body that does not say what it is: JSON, a <c>data:</c> URL, or a picture.</summary>
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
            var sections = MultipartBody.Open(request.Body, type);
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

        // The picture is decoded where it stands.
        (start, var length) = json.Image!.Value.GetOffsetAndLength(body.Span.Length);
        Base64Picture.Decode(body, start, JsonBase64.Unescape(body.Span.Slice(start, length)), ImageField, _maxPicture);
        return new Upload(body) { Fields = fields.Texts };
    }
}
