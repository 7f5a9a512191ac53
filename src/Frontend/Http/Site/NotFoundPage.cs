using System.Net.Mime;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Site;

/// <summary>Answers people who came to an address without a page with a page; programs get the problem document.</summary>
internal static class NotFoundPage
{
    private const string File = "not-found.html";

    /// <summary>What is below these is for programs, whatever they accept.</summary>
    private static readonly PathString[] Programs = ["/v1", "/v2", "/problems", "/openapi", "/metrics", "/health", "/dashboard"];

    /// <summary>Gives an answer 404 without a body the page, where a person asked.</summary>
    public static void UseNotFoundPage(this WebApplication app)
    {
        var page = app.Environment.WebRootFileProvider.GetFileInfo(File);
        app.Use(async (http, next) =>
        {
            await next(http);
            if (http.Response is { StatusCode: StatusCodes.Status404NotFound, HasStarted: false, ContentType: null, ContentLength: null } && IsByPerson(http.Request))
            {
                SiteExtensions.SetHeaders(http.Response.Headers);
                http.Response.ContentType = MediaTypeNames.Text.Html;
                await http.Response.SendFileAsync(page, http.RequestAborted);
            }
        });
    }

    /// <summary>Ends requests of people for which there is no endpoint, before a key is asked for: there is nothing to be protected.</summary>
    public static void UseNotFound(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        if (http.GetEndpoint() is not null || !IsByPerson(http.Request))
        {
            return next(http);
        }

        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    });

    /// <summary>Whether a browser asked, to show the answer.</summary>
    private static bool IsByPerson(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && !Array.Exists(Programs, program => request.Path.StartsWithSegments(program))
        && request.Headers.GetCommaSeparatedValues(HeaderNames.Accept).Any(static value => value.StartsWith(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase));
}
