using System.Net.Mime;
using Detection.Hosting.Management;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticFiles;

namespace Detection.Frontend.Http.Site;

/// <summary>The web pages, and the security headers of all answers.</summary>
internal static class SiteExtensions
{
    private const string Page = "index.html";

    private const string StatusPage = "status/index.html";
    private const string StatusAddress = "/status";

    /// <summary>Address of the page in the system that this one replaces.</summary>
    private const string FormerAddress = "/detectConsult";

    /// <summary>The pages by their names in <c>/site.json</c>.</summary>
    private static readonly (string Name, PathString Address)[] Addresses = [("detect", "/"), ("docs", "/docs"), ("status", StatusAddress)];

    // Everything comes from this host. blob: and data: are for pictures that the page created or the user chose.
    private const string ContentSecurityPolicy =
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>The policy of answers that are not pages: a browser that shows one runs and loads nothing, and no page may frame it.</summary>
    private const string NoPagePolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Sets the security headers of all answers, problem documents too.</summary>
    public static void UseSafeHeaders(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        // When the answer starts, because the exception handler clears the headers before.
        http.Response.OnStarting(static response =>
        {
            var headers = ((HttpResponse)response).Headers;
            headers.XContentTypeOptions = "nosniff";

            // Pages of other sites may not embed pictures or answers; a page that is allowed to read them uses CORS.
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

    public static void UseSite(this IApplicationBuilder app)
    {
        app.UseDefaultFiles();
        app.UseStaticFiles(Files());
        app.UseNotFound();
    }

    public static void MapSite(this WebApplication app)
    {
        IEndpointRouteBuilder routes = app;
        var management = ManagementExtensions.Port(app.Configuration);
        routes.MapGet("/site.json", (HttpContext http) => Pages(http, management)).AllowAnonymous().ExcludeFromDescription();
        routes.MapFallbackToFile(FormerAddress, Page, Files()).AllowAnonymous();
        routes.MapFallbackToFile(StatusAddress, StatusPage, Files()).AllowAnonymous();
    }

    /// <summary>Sets the headers of pages and of their files.</summary>
    public static void SetHeaders(IHeaderDictionary headers)
    {
        // File names have no version, so the browser must ask each time. The ETag answers 304.
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
    }

    /// <summary>The pages that are served at the port of the request; the pages link only to these.</summary>
    private static ContentHttpResult Pages(HttpContext http, int? management)
    {
        http.Response.Headers.CacheControl = "no-cache";
        var names = Addresses.Where(page => ManagementExtensions.IsAnswered(http, page.Address, management)).Select(static page => $"\"{page.Name}\"");
        return TypedResults.Text($$"""{"pages":[{{string.Join(',', names)}}]}""", MediaTypeNames.Application.Json);
    }

    private static StaticFileOptions Files() => new() { OnPrepareResponse = Prepare };

    private static void Prepare(StaticFileResponseContext context) => SetHeaders(context.Context.Response.Headers);
}
