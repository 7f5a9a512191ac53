using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Detection.Testing;

namespace Detection.Soak;

/// <summary>A host on loopback that serves pictures, valid and not, and receives webhooks.</summary>
/// <param name="pictures">The pictures by their numbers.</param>
internal sealed class SoakHost(IReadOnlyList<byte[]> pictures) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ReceivedWebhook>> _expected = new(StringComparer.Ordinal);
    private LoopbackServer? _server;

    /// <summary>Its address.</summary>
    public Uri Url => (_server ??= new LoopbackServer(BeginAsync)).Url;

    /// <summary>A URL for one webhook, and the webhook when it is received.</summary>
    public (Uri Url, Task<ReceivedWebhook> Received) ExpectWebhook()
    {
        var path = $"/hook/{Guid.NewGuid():N}";
        var received = _expected.GetOrAdd(path, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        return (new Uri(Url, path), received.Task);
    }

    /// <summary>Ends the waiting for a webhook.</summary>
    public void Forget(Uri url) => _expected.TryRemove(url.AbsolutePath, out _);

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    // The server waits for each answer before it accepts the next request; a slow answer must not delay the others.
    private Task BeginAsync(HttpListenerContext context)
    {
        _ = Task.Run(() => OddAnswers.AnswerAsync(context, AnswerAsync));
        return Task.CompletedTask;
    }

    private async Task<bool> AnswerAsync(HttpListenerContext context, string[] segments)
    {
        switch (segments)
        {
            case ["picture", var number, var unique]:
                var picture = pictures[int.Parse(number, CultureInfo.InvariantCulture)];
                await context.Response.OutputStream.WriteAsync(UniquePicture.Of(picture, int.Parse(unique, CultureInfo.InvariantCulture)));
                return true;
            case ["hook", ..]:
                await TakeAsync(context.Request);
                context.Response.StatusCode = 204;
                return true;
            case ["slow"]:
                await Task.Delay(TimeSpan.FromSeconds(20));
                return true;
            default:
                return false;
        }
    }

    private async Task TakeAsync(HttpListenerRequest request)
    {
        using var body = new MemoryStream();
        await request.InputStream.CopyToAsync(body);
        if (_expected.TryGetValue(request.Url!.AbsolutePath, out var expected))
        {
            expected.TrySetResult(new ReceivedWebhook(
                request.Url.PathAndQuery,
                request.HttpMethod,
                request.ContentType,
                request.Headers["webhook-id"],
                request.Headers["webhook-timestamp"],
                request.Headers["webhook-signature"],
                body.ToArray()));
        }
    }
}
