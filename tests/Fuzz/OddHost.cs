using System.Globalization;
using System.Net;
using Detection.Testing;

namespace Detection.Fuzz;

/// <summary>A faulty host from which pictures may be fetched.</summary>
internal sealed class OddHost : IAsyncDisposable
{
    private readonly LoopbackServer _server = new(context => OddAnswers.AnswerAsync(context, AnswerAsync));

    /// <summary>Its address.</summary>
    public Uri Url => _server.Url;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task<bool> AnswerAsync(HttpListenerContext context, string[] segments)
    {
        var response = context.Response;
        switch (segments)
        {
            case ["picture", var number] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seed):
                await response.OutputStream.WriteAsync(PictureMutations.Make(new Random(seed)));
                return true;
            case ["nowhere"]:
                response.StatusCode = 302;
                response.AddHeader("Location", "http://[");
                return true;
            case ["gzip"]:
                response.AddHeader("Content-Encoding", "gzip");
                await response.OutputStream.WriteAsync(PictureMutations.Seed(Random.Shared));
                return true;
            case ["status", var code] when int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var status):
                response.StatusCode = status;
                return true;
            default:
                return false;
        }
    }
}
