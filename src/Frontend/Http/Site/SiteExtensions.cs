using System.Net.Mime;
using Detection.Hosting.Management;
using Microsoft.AspNetCore.Http.HttpResults;
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

    /// <summary>The pages, as the links to them name them.</summary>
    private static readonly (string Name, PathString Address)[] Addresses = [("detect", "/"), ("docs", "/docs"), ("status", StatusAddress)];

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

    /// <summary>The headers of pages and of what they are made of.</summary>
    public static void SetHeaders(IHeaderDictionary headers)
    {
        // The names carry no version: ask each time, and be told 304 by the ETag.
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
    }

    /// <summary>The pages that the listener answers, so that the pages link to no other.</summary>
    private static ContentHttpResult Pages(HttpContext http, int? management)
    {
        http.Response.Headers.CacheControl = "no-cache";
        var names = Addresses.Where(page => ManagementExtensions.IsAnswered(http, page.Address, management)).Select(static page => $"\"{page.Name}\"");
        return TypedResults.Text($$"""{"pages":[{{string.Join(',', names)}}]}""", MediaTypeNames.Application.Json);
    }

    private static StaticFileOptions Files() => new() { OnPrepareResponse = Prepare };

    private static void Prepare(StaticFileResponseContext context) => SetHeaders(context.Context.Response.Headers);
}
