namespace Detection.Frontend.Http.Listening;

/// <summary>Takes <c>//v1/detections</c> for <c>/v1/detections</c>: a client joins an address that ends with a slash and a path that begins with one.</summary>
internal static class LeadingSlashes
{
    /// <summary>Before the endpoint is chosen.</summary>
    public static void UseLeadingSlashes(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        if (http.Request.Path.Value is ['/', '/', ..] path)
        {
            http.Request.Path = "/" + path.TrimStart('/');
        }

        return next(http);
    });
}
