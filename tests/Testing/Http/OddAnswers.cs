using System.Net;

namespace Detection.Testing;

/// <summary>Answers of a faulty host to a fetch of a picture.</summary>
public static class OddAnswers
{
    /// <summary>
    /// Answers a request: <c>/loop</c> and <c>/inside</c> redirect, <c>/text</c> is not a picture, <c>/short</c> ends too early, <c>/empty</c> is
    /// empty, and other paths are not found, unless the test answers them.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="own">Answers a path's segments for the test; <see langword="false"/> for unknown ones.</param>
    public static async Task AnswerAsync(HttpListenerContext context, Func<HttpListenerContext, string[], Task<bool>> own)
    {
        var response = context.Response;
        var segments = context.Request.Url!.AbsolutePath.Split('/')[1..];
        try
        {
            if (!await own(context, segments))
            {
                switch (segments)
                {
                    case ["loop"]:
                        response.Redirect("/loop");
                        break;
                    case ["inside"]:
                        response.Redirect("http://169.254.169.254/latest/meta-data/");
                        break;
                    case ["text"]:
                        await response.OutputStream.WriteAsync("<html>not a picture</html>"u8.ToArray());
                        break;
                    case ["short"]:
                        response.ContentLength64 = 100_000;
                        await response.OutputStream.WriteAsync(new byte[1000]);
                        response.Abort();
                        return;
                    case ["empty"]:
                        break;
                    default:
                        response.StatusCode = 404;
                        break;
                }
            }

            response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or InvalidOperationException)
        {
            // The client disconnected.
            response.Abort();
        }
    }
}
