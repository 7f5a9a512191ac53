using System.Net.Mime;
using Microsoft.AspNetCore.StaticFiles;

namespace Detection.Frontend.Http.Site;

/// <summary>The web page, and the headers that keep browsers safe.</summary>
internal static class SiteExtensions
{
    private const string Page = "index.html";

    private const string StatusPage = "status/index.html";
    private const string StatusAddress = "/status";

    /// <summary>Address of the page in the system that this one replaces.</summary>
    private const string FormerAddress = "/detectConsult";

    // Everything from this host. Pictures may also be such as the page made or was given itself.
    private const string ContentSecurityPolicy =
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Of answers that are no pages: a browser that is made to show one runs and loads nothing, and no other page frames it.</summary>
    private const string NoPagePolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Browsers must take an answer, a problem document too, for what its content type says.</summary>
    public static void UseSafeHeaders(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        // At the start of the answer, because the exception handler clears the headers.
        http.Response.OnStarting(static response =>
        {
            var headers = ((HttpResponse)response).Headers;
            headers.XContentTypeOptions = "nosniff";

            // Neither a picture nor an answer is for a page of another site to embed; one that is allowed asks with CORS.
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Referrer-Policy"] = "no-referrer";
            if (headers.ContentSecurityPolicy.Count == 0 && ((HttpResponse)response).ContentType?.StartsWith(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase) != true)
            {
                headers.ContentSecurityPolicy = NoPagePolicy;
            }

            return Task.CompletedTask;
        }, http.Response);
        return next(http);
    });

    /// <summary>Serves the files of the page.</summary>
    public static void UseSite(this IApplicationBuilder app)
    {
        app.UseDefaultFiles();
        app.UseStaticFiles(Files());
    }

    public static void MapSite(this IEndpointRouteBuilder routes)
    {
        routes.MapFallbackToFile(FormerAddress, Page, Files()).AllowAnonymous();
        routes.MapFallbackToFile(StatusAddress, StatusPage, Files()).AllowAnonymous();
    }

    private static StaticFileOptions Files() => new() { OnPrepareResponse = Prepare };

    private static void Prepare(StaticFileResponseContext context)
    {
        var headers = context.Context.Response.Headers;

        // The names carry no version: ask each time, and be told 304 by the ETag.
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
    }
}
