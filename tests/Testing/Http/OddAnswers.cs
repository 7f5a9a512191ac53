using System.Net;

namespace Detection.Testing;

/// <summary>What a host that is not well answers to who fetches a picture from it.</summary>
public static class OddAnswers
{
    /// <summary>
    /// Answers a request: <c>/loop</c> and <c>/inside</c> lead elsewhere, <c>/text</c> is no picture, <c>/short</c> breaks off, <c>/empty</c> is
    /// empty, anything else is not found, unless the test answers it.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="own">Answers a path's segments in the test's own way; <see langword="false"/> for those that it does not know.</param>
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
            // Whoever asked has left.
            response.Abort();
        }
    }
}
