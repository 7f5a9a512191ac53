using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Detection.Testing;

/// <summary>One received attempt to deliver a webhook.</summary>
/// <param name="Path">Path and query of the request.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="ContentType">Content type of the body.</param>
/// <param name="Id">Header <c>webhook-id</c>.</param>
/// <param name="Timestamp">Header <c>webhook-timestamp</c>.</param>
/// <param name="Signature">Header <c>webhook-signature</c>.</param>
/// <param name="Body">The body.</param>
public sealed record ReceivedWebhook(string Path, string Method, string? ContentType, string? Id, string? Timestamp, string? Signature, byte[] Body)
{
    /// <summary>Whether a signature is valid for a secret, by the rules of Standard Webhooks and without the product's code.</summary>
    public bool IsSignedWith(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.ASCII.GetBytes($"{Id}.{Timestamp}."));
        hash.AppendData(Body);
        return (Signature ?? "").Split(' ').Contains("v1," + Convert.ToBase64String(hash.GetHashAndReset()));
    }

    /// <summary>Time of the attempt.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeSeconds(long.Parse(Timestamp!, CultureInfo.InvariantCulture));
}

/// <summary>Receives webhooks on loopback, and answers each path with the given statuses.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<int>> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<ReceivedWebhook> _received = new();
    private readonly LoopbackServer _server;

    /// <summary>Starts it.</summary>
    public WebhookReceiver() => _server = new LoopbackServer(AnswerAsync);

    /// <summary>Its port.</summary>
    public int Port => _server.Url.Port;

    /// <summary>The received attempts, in their order.</summary>
    public IReadOnlyList<ReceivedWebhook> Received => [.. _received];

    /// <summary>A URL of this receiver.</summary>
    /// <param name="name">Its path.</param>
    /// <param name="answers">The statuses of its answers in their order, 0 for no answer; 204 after them.</param>
    public Uri Url(string name, params IEnumerable<int> answers)
    {
        _answers["/" + name] = new ConcurrentQueue<int>(answers);
        return new Uri(_server.Url, name);
    }

    /// <summary>The attempts for a URL.</summary>
    public IReadOnlyList<ReceivedWebhook> At(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        return [.. _received.Where(webhook => webhook.Path == url.PathAndQuery)];
    }

    /// <summary>Waits for a number of attempts for a URL.</summary>
    public async Task<IReadOnlyList<ReceivedWebhook>> ReceiveAsync(Uri url, int attempts = 1, TimeSpan? deadline = null)
    {
        await Eventually.Async(() => At(url).Count >= attempts, deadline ?? Eventually.Soon, $"{attempts} attempts came for {url}");
        return At(url);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var request = context.Request;
        using var body = new MemoryStream();
        await request.InputStream.CopyToAsync(body);
        var answer = _answers.TryGetValue(request.Url!.AbsolutePath, out var answers) && answers.TryDequeue(out var told) ? told : 204;
        _received.Enqueue(new ReceivedWebhook(
            request.Url.PathAndQuery,
            request.HttpMethod,
            request.ContentType,
            request.Headers["webhook-id"],
            request.Headers["webhook-timestamp"],
            request.Headers["webhook-signature"],
            body.ToArray()));
        if (answer == 0)
        {
            return;
        }

        context.Response.StatusCode = answer;
        switch (answer)
        {
            case 429:
                context.Response.Headers["Retry-After"] = "1";
                break;
            case >= 300 and <= 399:
                context.Response.Headers["Location"] = new Uri(_server.Url, "redirected").ToString();
                break;
        }

        context.Response.Close();
    }
}
