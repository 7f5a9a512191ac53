using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>
/// Refuses requests that pages of other sites make a browser send, unless their origin is allowed. GET requests need no such check, because
/// the browser does not let the page read the answer.
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

        // Only browsers send this header, and scripts cannot set it.
        return request.Headers["Sec-Fetch-Site"].ToString() switch
        {
            "same-origin" or "none" => false,
            "" => origin.Length > 0 && !IsOwn(origin, request.Host),
            _ => true,
        };
    }

    /// <summary>
    /// Older browsers, and all browsers over plain HTTP between machines, send only the Origin header. Its scheme is not compared, because
    /// a proxy may end TLS before this server.
    /// </summary>
    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && uri.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
        && (host.Port is { } port ? uri.Port == port : uri.IsDefaultPort);
}
