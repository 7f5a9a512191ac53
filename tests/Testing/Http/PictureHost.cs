using System.Net;

namespace Detection.Testing;

/// <summary>A web server on loopback that serves pictures by their names.</summary>
public sealed class PictureHost : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly Dictionary<string, byte[]> _pictures = [];
    private readonly HashSet<string> _held = [];

    public PictureHost() => _server = new LoopbackServer(AnswerAsync);

    public int Port => _server.Url.Port;

    /// <summary>Address of a picture; answers 404 when there are no bytes.</summary>
    public Uri Url(string name, byte[]? bytes)
    {
        var path = "/" + name;
        if (bytes is not null)
        {
            lock (_pictures)
            {
                _pictures[path] = bytes;
            }
        }

        return new Uri(_server.Url, path);
    }

    /// <summary>An address that does not answer.</summary>
    public Uri HoldUrl(string name)
    {
        lock (_pictures)
        {
            _held.Add("/" + name);
        }

        return Url(name, null);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task AnswerAsync(HttpListenerContext context)
    {
        byte[]? bytes;
        lock (_pictures)
        {
            if (_held.Contains(context.Request.Url!.AbsolutePath))
            {
                return Task.CompletedTask;
            }

            bytes = _pictures.GetValueOrDefault(context.Request.Url!.AbsolutePath);
        }

        context.Response.StatusCode = bytes is null ? 404 : 200;
        context.Response.ContentType = Path.GetExtension(context.Request.Url!.AbsolutePath) == ".webp" ? "image/webp" : "image/jpeg";
        context.Response.Close(bytes ?? [], willBlock: false);
        return Task.CompletedTask;
    }
}
