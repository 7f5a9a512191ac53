using System.Globalization;
using System.Net;

namespace Detection.Frontend.Tests;

/// <summary>A web server on loopback that has the pictures it is given, by their names.</summary>
internal sealed class PictureHost : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, byte[]> _pictures = [];
    private readonly HashSet<string> _held = [];
    private readonly Task _serving;

    public PictureHost()
    {
        _listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port { get; } = LoopbackPorts.Next();

    /// <summary>Address of a picture; serves it when there are bytes, and answers 404 there when not.</summary>
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

        return new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}{path}"));
    }

    /// <summary>Address where no answer comes.</summary>
    public Uri HoldUrl(string name)
    {
        lock (_pictures)
        {
            _held.Add("/" + name);
        }

        return Url(name, null);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            byte[]? bytes;
            lock (_pictures)
            {
                if (_held.Contains(context.Request.Url!.AbsolutePath))
                {
                    continue;
                }

                bytes = _pictures.GetValueOrDefault(context.Request.Url!.AbsolutePath);
            }

            context.Response.StatusCode = bytes is null ? 404 : 200;
            context.Response.ContentType = "image/jpeg";
            context.Response.Close(bytes ?? [], willBlock: false);
        }
    }
}
