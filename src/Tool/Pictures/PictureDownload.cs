using System.Globalization;
using Detection.Inference.Pictures;

namespace Detection.Tool.Pictures;

/// <summary>Fetches pictures from addresses on the command line: from any host, but with limits on time, size and redirects.</summary>
internal sealed class PictureDownload : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(10),
        MaxAutomaticRedirections = 5,
        MaxResponseHeadersLength = 64,
    })
    {
        Timeout = Timeout,
        MaxResponseContentBufferSize = new PictureLimits().MaxBytes,
    };

    /// <summary>Whether a text is an http or https address.</summary>
    public static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    /// <summary>A picture at an address.</summary>
    public PictureSource Of(string url) => new(url, cancellationToken => ReadAsync(new Uri(url), cancellationToken));

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<byte[]> ReadAsync(Uri url, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetByteArrayAsync(url, cancellationToken);
        }
        catch (HttpRequestException e) when (e.StatusCode is { } status)
        {
            throw new IOException($"the server answered {(int)status} {status}", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new IOException(
                string.Create(CultureInfo.InvariantCulture, $"more than {_client.MaxResponseContentBufferSize} bytes"), e);
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"cannot be fetched: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"not fetched within {Timeout.TotalSeconds:0} s", e);
        }
    }
}
