using System.Net;
using System.Net.Http.Headers;

namespace Detection.Inference.Pulling;

/// <summary>
/// Sends requests to servers of models. Redirects are followed here, one request for each, so that the handler sees every address and a credential
/// does not follow to another server.
/// </summary>
/// <param name="invoker">Sends one request to one address, without following redirects.</param>
/// <param name="options">Limits and servers.</param>
/// <param name="time">The clock.</param>
internal sealed class PullHttp(HttpMessageInvoker invoker, PullOptions options, TimeProvider time)
{
    private const int MaxRedirects = 10;
    private const string UserAgent = "DetectionModelPull/1.0";

    /// <summary>Limits and servers.</summary>
    public PullOptions Options { get; } = options;

    /// <summary>The clock of signatures.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>Sends a GET request and returns the answer, whose body is not read yet.</summary>
    /// <param name="url">The address.</param>
    /// <param name="credential">The proof for one server; <see langword="null"/> for none.</param>
    /// <param name="prepare">Adds headers, before the proof.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PullException">The server cannot be reached, or may not be.</exception>
    public async Task<HttpResponseMessage> SendAsync(Uri url, PullCredential? credential, Action<HttpRequestMessage> prepare, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendOnceAsync(url, credential, prepare, cancellationToken);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
            {
                return response;
            }

            var next = response.Headers.Location is { } location ? new Uri(url, location) : null;
            response.Dispose();
            url = next is null ? throw new PullException($"{NameOf(url)} redirects without an address.")
                : redirects == MaxRedirects ? throw new PullException($"{NameOf(url)} redirects more than {MaxRedirects} times.")
                : next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
                    ? throw new PullException($"{NameOf(url)} redirects to the scheme '{next.Scheme}', which is not followed.")
                : next;
        }
    }

    /// <summary>Reads a small answer to its end.</summary>
    /// <param name="url">The address.</param>
    /// <param name="credential">The proof for one server; <see langword="null"/> for none.</param>
    /// <param name="accept">Media types.</param>
    /// <param name="maxBytes">Maximum size.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The body and the headers.</returns>
    /// <exception cref="PullException">There is no such answer.</exception>
    public async Task<(byte[] Body, HttpResponseHeaders Headers)> ReadAsync(
        Uri url, PullCredential? credential, string accept, int maxBytes, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(url, credential, request => request.Headers.TryAddWithoutValidation("Accept", accept), cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw Refused(url, response, credential is not null);
        }

        var buffer = new byte[Math.Min(64 * 1024, maxBytes + 1)];
        var length = 0;
        await using var body = await OpenAsync(url, response, cancellationToken);
        for (int read; (read = await ReadAsync(url, body, buffer.AsMemory(length), cancellationToken)) > 0;)
        {
            length += read;
            if (length > maxBytes)
            {
                throw new PullException($"{NameOf(url)} answers with more than {maxBytes} bytes where a short document is expected.");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(2L * length, maxBytes + 1L));
            }
        }

        return (buffer[..length], response.Headers);
    }

    /// <summary>The body of an answer.</summary>
    public static async Task<Stream> OpenAsync(Uri url, HttpResponseMessage response, CancellationToken cancellationToken) =>
        response.Content.Headers.ContentEncoding.Any(static encoding => !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            ? throw new PullException($"{NameOf(url)} answers with an encoding that was not asked for.")
            : await response.Content.ReadAsStreamAsync(cancellationToken);

    /// <summary>Reads the next bytes of a body.</summary>
    /// <exception cref="PullException">The connection ended too early, or no byte arrived for too long.</exception>
    public async Task<int> ReadAsync(Uri url, Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var stalled = new CancellationTokenSource(Options.StallTimeout, Time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stalled.Token);
        try
        {
            return await body.ReadAsync(buffer, ended.Token);
        }
        catch (OperationCanceledException e) when (stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PullException($"{NameOf(url)} sent nothing for {Options.StallTimeout.TotalSeconds:0.#} s.", e) { MayPass = true };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new PullException($"The connection to {NameOf(url)} was cut: {e.Message}", e) { MayPass = true };
        }
    }

    /// <summary>An answer that says no.</summary>
    public static PullException Refused(Uri url, HttpResponseMessage response, bool hasToken)
    {
        var status = (int)response.StatusCode;
        var why = status switch
        {
            401 or 403 when hasToken => "the token for this server does not give access",
            401 or 403 => "it needs a token, and none is set for this server",
            404 or 410 => "there is no such file",
            408 or 429 or >= 500 => "it cannot answer now",
            _ => "the request is not accepted",
        };
        return new PullException($"{NameOf(url)} answers {url.AbsolutePath} with status {status}: {why}.") { Status = status, MayPass = status is 408 or 429 or >= 500 };
    }

    /// <summary>The server of an address, for people. Queries of addresses may be secrets.</summary>
    public static string NameOf(Uri url) => url.IsDefaultPort ? url.IdnHost : $"{url.IdnHost}:{url.Port}";

    private async Task<HttpResponseMessage> SendOnceAsync(
        Uri url, PullCredential? credential, Action<HttpRequestMessage> prepare, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version11 };
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        prepare(request);
        credential?.Apply(request);
        using var stalled = new CancellationTokenSource(Options.StallTimeout, Time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stalled.Token);
        try
        {
            return await invoker.SendAsync(request, ended.Token);
        }
        catch (OperationCanceledException e) when (stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PullException($"{NameOf(url)} did not answer within {Options.StallTimeout.TotalSeconds:0.#} s.", e) { MayPass = true };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new PullException($"{NameOf(url)} cannot be reached: {e.Message}", e) { MayPass = true };
        }
    }
}
