using Scalar.AspNetCore;

namespace Detection.Frontend.Http.OpenApi;

/// <summary><c>/docs</c>: the OpenAPI document as a page on which requests can be tried. Everything on it comes from this server.</summary>
internal static class ApiReference
{
    private const string Address = "/docs";

    // Its own colours of quiet texts and of POST have too little contrast.
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

                // These lead to other hosts.
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideClientButton()
                .HideDeveloperTools();
            http.Response.OnStarting(static state => SetPolicy((HttpContext)state), http);
        }).AllowAnonymous();

    /// <summary>As the other pages' policy; the page's own scripts are named, and its styles are made by the script.</summary>
    private static Task SetPolicy(HttpContext http)
    {
        var nonce = http.Items[ScalarOptions.NonceHttpContextItemKey];
        http.Response.Headers.ContentSecurityPolicy =
            $"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
            + "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        return Task.CompletedTask;
    }
}
