using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Detection.Testing;

namespace Detection.Soak;

/// <summary>A host on loopback that gives pictures, good ones and bad ones, and that takes webhooks.</summary>
/// <param name="pictures">The pictures by their numbers.</param>
internal sealed class SoakHost(IReadOnlyList<byte[]> pictures) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ReceivedWebhook>> _expected = new(StringComparer.Ordinal);
    private LoopbackServer? _server;

    /// <summary>Its address.</summary>
    public Uri Url => (_server ??= new LoopbackServer(BeginAsync)).Url;

    /// <summary>A URL for one webhook, and the webhook itself when it comes.</summary>
    public (Uri Url, Task<ReceivedWebhook> Received) ExpectWebhook()
    {
        var path = $"/hook/{Guid.NewGuid():N}";
        var received = _expected.GetOrAdd(path, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        return (new Uri(Url, path), received.Task);
    }

    /// <summary>Nobody waits for a webhook any more.</summary>
    public void Forget(Uri url) => _expected.TryRemove(url.AbsolutePath, out _);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    // The server waits for each answer before it takes the next request; a slow one must not hold up the others.
    private Task BeginAsync(HttpListenerContext context)
    {
        _ = Task.Run(() => AnswerAsync(context));
        return Task.CompletedTask;
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var response = context.Response;
        try
        {
            switch (context.Request.Url!.AbsolutePath.Split('/'))
            {
                case [_, "picture", var number, var unique]:
                    var picture = pictures[int.Parse(number, CultureInfo.InvariantCulture)];
                    await response.OutputStream.WriteAsync(UniquePicture.Of(picture, int.Parse(unique, CultureInfo.InvariantCulture)));
                    break;
                case [_, "hook", ..]:
                    await TakeAsync(context.Request);
                    response.StatusCode = 204;
                    break;
                case [_, "loop"]:
                    response.Redirect("/loop");
                    break;
                case [_, "inside"]:
                    response.Redirect("http://169.254.169.254/latest/meta-data/");
                    break;
                case [_, "text"]:
                    await response.OutputStream.WriteAsync("<html>not a picture</html>"u8.ToArray());
                    break;
                case [_, "short"]:
                    response.ContentLength64 = 100_000;
                    await response.OutputStream.WriteAsync(new byte[1000]);
                    response.Abort();
                    return;
                case [_, "slow"]:
                    await Task.Delay(TimeSpan.FromSeconds(20));
                    break;
                case [_, "empty"]:
                    break;
                default:
                    response.StatusCode = 404;
                    break;
            }

            response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or InvalidOperationException)
        {
            // Whoever asked has left.
            response.Abort();
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
