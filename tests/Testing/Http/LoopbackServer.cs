using System.Globalization;
using System.Net;

namespace Detection.Testing;

/// <summary>A web server on loopback that tested code can call.</summary>
public sealed class LoopbackServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    /// <summary>Starts it.</summary>
    /// <param name="answer">Answers the requests, one after another. A response that it does not close stays open.</param>
    public LoopbackServer(Func<HttpListenerContext, Task> answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        _listener.Prefixes.Add(Url.ToString());
        _listener.Start();
        _serving = ServeAsync(answer);
    }

    /// <summary>Its address.</summary>
    public Uri Url { get; } = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPorts.Next()}/"));

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync(Func<HttpListenerContext, Task> answer)
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

            await answer(context);
        }
    }
}
