using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>
/// Refuses what a page of another site lets a browser send here, unless its origin is allowed. Reading needs no such check: the browser
/// gives the page no answer.
/// </summary>
internal sealed class CrossSiteFilter(IOptions<BrowserOptions> options) : IMiddleware
{
    private readonly BrowserOptions _options = options.Value;

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method) || !IsForeign(request))
        {
            return next(context);
        }

        var origin = request.Headers.Origin.ToString();
        throw new ProblemException(
            ProblemType.OriginNotAllowed,
            $"A page of {(origin.Length == 0 ? "another site" : $"'{CallerText.Show(origin)}'")} may not use this server. Allow its origin with the setting Detection:Browsers:AllowedOrigins.");
    }

    private bool IsForeign(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && _options.AllowsOrigin(origin))
        {
            return false;
        }

        // Sent by browsers alone, and no script can change it.
        return request.Headers["Sec-Fetch-Site"].ToString() switch
        {
            "same-origin" or "none" => false,
            "" => origin.Length > 0 && !IsOwn(origin, request.Host),
            _ => true,
        };
    }

    /// <summary>
    /// Older browsers, and all over plain HTTP between machines, send the origin alone. Its scheme is not compared: a proxy may
    /// speak TLS for this server.
    /// </summary>
    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && uri.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
        && (host.Port is { } port ? uri.Port == port : uri.IsDefaultPort);
}
