using System.Globalization;
using System.Net;
using Detection.Testing;

namespace Detection.Fuzz;

/// <summary>A host that pictures may be fetched from, and that is not well.</summary>
internal sealed class OddHost : IAsyncDisposable
{
    private readonly LoopbackServer _server = new(AnswerAsync);

    /// <summary>Its address.</summary>
    public Uri Url => _server.Url;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task AnswerAsync(HttpListenerContext context)
    {
        var response = context.Response;
        try
        {
            switch (context.Request.Url!.AbsolutePath.Split('/'))
            {
                case [_, "picture", var number] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seed):
                    await response.OutputStream.WriteAsync(PictureMutations.Make(new Random(seed)));
                    break;
                case [_, "loop"]:
                    response.Redirect("/loop");
                    break;
                case [_, "inside"]:
                    response.Redirect("http://169.254.169.254/latest/meta-data/");
                    break;
                case [_, "nowhere"]:
                    response.StatusCode = 302;
                    response.AddHeader("Location", "http://[");
                    break;
                case [_, "gzip"]:
                    response.AddHeader("Content-Encoding", "gzip");
                    await response.OutputStream.WriteAsync(PictureMutations.Seed(Random.Shared));
                    break;
                case [_, "short"]:
                    response.ContentLength64 = 100_000;
                    await response.OutputStream.WriteAsync(new byte[1000]);
                    response.Abort();
                    return;
                case [_, "text"]:
                    await response.OutputStream.WriteAsync("<html>not a picture</html>"u8.ToArray());
                    break;
                case [_, "status", var code] when int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var status):
                    response.StatusCode = status;
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
            // Whoever fetched has heard enough.
            response.Abort();
        }
    }
}
