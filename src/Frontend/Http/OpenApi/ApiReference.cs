using Scalar.AspNetCore;

namespace Detection.Frontend.Http.OpenApi;

/// <summary><c>/docs</c>: a page that shows the OpenAPI document and can send requests. It loads everything from this server.</summary>
internal static class ApiReference
{
    private const string Address = "/docs";

    // Scalar's colours of secondary texts and of POST have too little contrast.
    private const string Style =
        ".light-mode { --scalar-color-3: #666; --scalar-color-green: #00704a; } .dark-mode { --scalar-color-3: #8e8e8e; }";

    public static void MapApiReference(this IEndpointRouteBuilder routes) =>
        routes.MapScalarApiReference(Address, static (options, http) =>
        {
            options
                .AddDocument(ApiDescription.Document)
                .WithTitle("API · Detection")
                .WithFavicon("/favicon.svg")
                .WithCustomCss(Style)
                .AddHeadContent("<script src=\"/js/docs.js\"></script>")
                .WithNonce()

                // These load from, or link to, other hosts.
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideClientButton()
                .HideDeveloperTools();
            http.Response.OnStarting(static state => SetPolicy((HttpContext)state), http);
        }).AllowAnonymous();

    /// <summary>The policy of the other pages, with a nonce for this page's scripts, and with the inline styles that its script creates.</summary>
    private static Task SetPolicy(HttpContext http)
    {
        var nonce = http.Items[ScalarOptions.NonceHttpContextItemKey];
        http.Response.Headers.ContentSecurityPolicy =
            $"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
            + "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        return Task.CompletedTask;
    }
}
