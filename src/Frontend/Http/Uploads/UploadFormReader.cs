using System.Text;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Reads forms, multipart or URL-encoded, with the picture in pooled memory.</summary>
internal sealed class UploadFormReader(UploadMemory memory, UploadTimeout timeout, IOptions<DetectionClientOptions> client)
{
    private const int MaxTexts = 32;
    private const int MaxTextBytes = 8 * 1024;

    private readonly int _maxPicture = UploadReader.MaxPictureBytes(client.Value);
    private readonly int _maxBase64 = (int)Math.Min(UploadReader.MaxBodyBytes(client.Value), Array.MaxLength - 1);

    /// <param name="request">The request.</param>
    /// <param name="file">Name of the field with the picture's file.</param>
    /// <param name="base64">Name of the field with the picture in base64; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ProblemException">The body is not a form, or is too large or too slow.</exception>
    /// <exception cref="UploadAbandonedException">The client disconnected.</exception>
    public ValueTask<UploadForm> ReadAsync(HttpRequest request, string file, string? base64, CancellationToken cancellationToken)
    {
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            if (type.MediaType.Equals(MultipartBody.ContentType, StringComparison.OrdinalIgnoreCase))
            {
                return timeout.ApplyAsync(
                    limited => MultipartBody.ReadAsync(request, () => ReadMultipartAsync(request, type, file, base64, limited)), cancellationToken);
            }

            if (type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            {
                return timeout.ApplyAsync(limited => ReadUrlEncodedAsync(request, base64, limited), cancellationToken);
            }
        }

        throw new ProblemException(ProblemType.UnsupportedMediaType, "Send a form: multipart/form-data or application/x-www-form-urlencoded.");
    }

    private async ValueTask<UploadForm> ReadMultipartAsync(
        HttpRequest request, MediaTypeHeaderValue type, string file, string? base64, CancellationToken cancellationToken)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        PooledBytes? picture = null;
        try
        {
            var sections = MultipartBody.Open(request, type);
            while (await sections.ReadNextAsync(cancellationToken) is var (name, disposition, body))
            {
                if (name == file && picture is null)
                {
                    var bytes = await PooledBytes.ReadAsync(body, null, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken);

                    // When the user chose no file, a browser sends the field empty and without a file name.
                    if (bytes.Memory.IsEmpty && string.IsNullOrEmpty(HeaderUtilities.RemoveQuotes(disposition.FileName).Value))
                    {
                        bytes.Dispose();
                    }
                    else
                    {
                        picture = bytes;
                    }
                }
                else if (name == base64 && picture is null)
                {
                    var bytes = await PooledBytes.ReadAsync(body, null, _maxBase64, memory.ShareOf(request.HttpContext), cancellationToken);
                    picture = Decoded(bytes, 0, bytes.Memory.Length, name);
                }
                else if (disposition.FileName.Length == 0)
                {
                    using var bytes = await PooledBytes.ReadAsync(body, null, _maxPicture, memory.ShareOf(request.HttpContext), cancellationToken);
                    Add(texts, name, bytes.Span);
                }
            }

            return new UploadForm(picture, texts);
        }
        catch
        {
            picture?.Dispose();
            throw;
        }
    }

    private async ValueTask<UploadForm> ReadUrlEncodedAsync(HttpRequest request, string? base64, CancellationToken cancellationToken)
    {
        // URL encoding takes three bytes for each '+', '/' and '='.
        var limit = (int)Math.Min(_maxBase64 + (_maxBase64 / 4L), Array.MaxLength - 1);
        var body = await PooledBytes.ReadAsync(request.Body, request.ContentLength, limit, memory.ShareOf(request.HttpContext), cancellationToken);
        try
        {
            var texts = new Dictionary<string, string>(StringComparer.Ordinal);
            var picture = ReadPairs(body, base64, texts);
            if (picture is { Length: > 0 } found)
            {
                return new UploadForm(Decoded(body, found.Start, found.Length, base64!), texts);
            }

            body.Dispose();
            return new UploadForm(null, texts);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private static (int Start, int Length)? ReadPairs(PooledBytes body, string? base64, Dictionary<string, string> texts)
    {
        (int Start, int Length)? picture = null;
        var all = body.Span;
        for (var start = 0; start < all.Length;)
        {
            var pair = all[start..];
            var end = pair.IndexOf((byte)'&');
            pair = end < 0 ? pair : pair[..end];
            var equals = pair.IndexOf((byte)'=');
            if (equals >= 0)
            {
                var key = pair[..equals];
                var value = pair[(equals + 1)..];
                var name = Encoding.UTF8.GetString(key[..Unescape(key, plusIsSpace: true)]);
                if (name == base64)
                {
                    // Some clients do not escape '+'. Base64 has no spaces, so a plus is a plus.
                    picture = (start + equals + 1, Unescape(value, plusIsSpace: false));
                }
                else
                {
                    Add(texts, name, value[..Unescape(value, plusIsSpace: true)]);
                }
            }

            start += pair.Length + 1;
        }

        return picture;
    }

    private static void Add(Dictionary<string, string> texts, string name, ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxTextBytes || texts.Count == MaxTexts)
        {
            throw new ProblemException(ProblemType.InvalidRequest, $"The form has more than {MaxTexts} texts, or one of more than {MaxTextBytes} bytes.");
        }

        texts[name] = Encoding.UTF8.GetString(text);
    }

    private PooledBytes Decoded(PooledBytes bytes, int start, int length, string field)
    {
        try
        {
            Base64Picture.Decode(bytes, start, length, field, _maxPicture);
            return bytes;
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <summary>Replaces the escapes of a URL-encoded form, in place.</summary>
    private static int Unescape(Span<byte> text, bool plusIsSpace)
    {
        var to = 0;
        for (var from = 0; from < text.Length; from++)
        {
            if (text[from] == '%' && from + 2 < text.Length && Hex(text[from + 1]) is >= 0 and var high && Hex(text[from + 2]) is >= 0 and var low)
            {
                text[to++] = (byte)((high << 4) | low);
                from += 2;
            }
            else
            {
                text[to++] = text[from] == '+' && plusIsSpace ? (byte)' ' : text[from];
            }
        }

        return to;
    }

    private static int Hex(byte digit) => char.IsAsciiHexDigit((char)digit) ? Convert.ToInt32(((char)digit).ToString(), 16) : -1;
}
