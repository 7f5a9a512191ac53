using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.RequestDecompression;

namespace Detection.Frontend.Http.Uploads;

/// <summary>
/// Decompresses bodies by their Content-Encoding. The limits of size apply to the decompressed bytes, and decompression stops at the limit.
/// </summary>
internal static class ContentEncodings
{
    private const string Identity = "identity";

    /// <summary>The supported encodings, with the size of the decoder's window in bytes.</summary>
    private static readonly Dictionary<string, int> Windows = new(StringComparer.OrdinalIgnoreCase)
    {
        ["gzip"] = 1 << 16,
        ["x-gzip"] = 1 << 16,
        ["deflate"] = 1 << 16,
        ["br"] = 1 << 24,
    };

    public static void AddContentEncodings(this IServiceCollection services) => services.AddRequestDecompression(static options =>
    {
        options.DecompressionProviders["x-gzip"] = options.DecompressionProviders["gzip"];
        foreach (var (name, provider) in options.DecompressionProviders.ToList())
        {
            options.DecompressionProviders[name] = new CheckedProvider(name, provider);
        }
    });

    /// <summary>Decompresses bodies and refuses other encodings. Without this check the problem would be that the bytes are not a picture.</summary>
    public static void UseContentEncodings(this IApplicationBuilder app)
    {
        app.Use(static (http, next) =>
        {
            var encoding = http.Request.Headers.ContentEncoding.ToString().Trim();
            if (encoding.Length == 0 || encoding.Equals(Identity, StringComparison.OrdinalIgnoreCase))
            {
                http.Request.Headers.Remove("Content-Encoding");
                return next(http);
            }

            if (Windows.TryGetValue(encoding, out var window))
            {
                http.Request.Headers.ContentEncoding = encoding;
                return WithWindowAsync(http, next, window);
            }

            http.Response.OnStarting(static response =>
            {
                ((HttpResponse)response).Headers.AcceptEncoding = "gzip, deflate, br";
                return Task.CompletedTask;
            }, http.Response);
            throw new ProblemException(
                ProblemType.UnsupportedMediaType, $"The body has the Content-Encoding '{CallerText.Show(encoding)}'. Send it without compression, or with gzip, deflate or br.");
        });
        app.UseRequestDecompression();
    }

    /// <summary>Counts the decoder's window in the upload memory.</summary>
    private static async Task WithWindowAsync(HttpContext http, RequestDelegate next, int window)
    {
        var share = http.RequestServices.GetRequiredService<UploadMemory>().ShareOf(http);
        share.Take(window);
        http.Features.Set(new CompressedBody());
        try
        {
            await next(http);
        }
        finally
        {
            share.Give(window);
        }
    }

    private sealed class CheckedProvider(string encoding, IDecompressionProvider provider) : IDecompressionProvider
    {
        public Stream GetDecompressionStream(Stream stream)
        {
            var compressed = new CompressedStream(stream);
            return new DecodedStream(encoding, compressed, provider.GetDecompressionStream(compressed));
        }
    }

    /// <summary>Records whether the end was read.</summary>
    private sealed class CompressedStream(Stream body) : CheckedStream(body)
    {
        public bool IsAtEnd { get; private set; }

        protected override async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var read = await stream.ReadAsync(buffer, cancellationToken);
            IsAtEnd |= read == 0 && buffer.Length > 0;
            return read;
        }
    }

    /// <summary>
    /// Replaces the exceptions of the decoders by a problem. The decoders refuse data that end early only with the switch
    /// System.IO.Compression.UseStrictValidation, which the project file sets.
    /// </summary>
    private sealed class DecodedStream(string encoding, CompressedStream compressed, Stream decoder) : CheckedStream(decoder)
    {
        protected override async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            try
            {
                return await stream.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
            {
                throw new ProblemException(
                    ProblemType.InvalidRequest,
                    compressed.IsAtEnd
                        ? $"The body ends before the end of its {encoding} data (Content-Encoding), or its checksum is wrong. Send all of it."
                        : $"The body is not valid {encoding}, as its Content-Encoding says.",
                    e);
            }
        }
    }
}

/// <summary>A feature of requests whose body is decompressed while it is read.</summary>
internal sealed class CompressedBody;
