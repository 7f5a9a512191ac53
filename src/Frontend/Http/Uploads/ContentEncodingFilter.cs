using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Refuses a compressed body by name; without this the problem would say that the bytes are no picture, or no JSON.</summary>
internal static class ContentEncodingFilter
{
    private const string Identity = "identity";

    public static void UseContentEncodingFilter(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        var encoding = http.Request.Headers.ContentEncoding.ToString();
        if (encoding.Length == 0 || encoding.Equals(Identity, StringComparison.OrdinalIgnoreCase))
        {
            return next(http);
        }

        http.Response.OnStarting(static response =>
        {
            ((HttpResponse)response).Headers.AcceptEncoding = Identity;
            return Task.CompletedTask;
        }, http.Response);
        throw new ProblemException(
            ProblemType.UnsupportedMediaType, $"The body has the Content-Encoding '{CallerText.Show(encoding)}'. Send it as it is, without one: pictures are compressed already.");
    });
}
