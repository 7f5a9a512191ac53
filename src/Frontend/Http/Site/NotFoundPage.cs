using System.Net.Mime;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Site;

/// <summary>Answers 404 with a page when a browser asks; programs get the problem document.</summary>
internal static class NotFoundPage
{
    private const string File = "not-found.html";

    /// <summary>Requests below these paths get the problem document, whatever they accept.</summary>
    private static readonly PathString[] ApiPaths = ["/v1", "/v2", "/problems", "/openapi", "/metrics", "/health", "/dashboard"];

    /// <summary>Writes the page into answers 404 without a body, when a browser asks.</summary>
    public static void UseNotFoundPage(this WebApplication app)
    {
        var page = app.Environment.WebRootFileProvider.GetFileInfo(File);
        app.Use(async (http, next) =>
        {
            await next(http);
            if (http.Response is { StatusCode: StatusCodes.Status404NotFound, HasStarted: false, ContentType: null, ContentLength: null } && IsFromBrowser(http.Request))
            {
                SiteExtensions.SetHeaders(http.Response.Headers);
                http.Response.ContentType = MediaTypeNames.Text.Html;
                await http.Response.SendFileAsync(page, http.RequestAborted);
            }
        });
    }

    /// <summary>Answers 404 to browsers when there is no endpoint. Call it before the keys are checked: these addresses need no key.</summary>
    public static void UseNotFound(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        if (http.GetEndpoint() is not null || !IsFromBrowser(http.Request))
        {
            return next(http);
        }

        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    });

    /// <summary>Whether a browser asks for a page to show.</summary>
    private static bool IsFromBrowser(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && !Array.Exists(ApiPaths, path => request.Path.StartsWithSegments(path))
        && request.Headers.GetCommaSeparatedValues(HeaderNames.Accept).Any(static value => value.StartsWith(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase));
}
