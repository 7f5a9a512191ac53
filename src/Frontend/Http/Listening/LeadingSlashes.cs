namespace Detection.Frontend.Http.Listening;

/// <summary>Serves <c>//v1/detections</c> as <c>/v1/detections</c>: some clients join an address that ends with a slash and a path that begins with one.</summary>
internal static class LeadingSlashes
{
    /// <summary>Call it before routing.</summary>
    public static void UseLeadingSlashes(this IApplicationBuilder app) => app.Use(static (http, next) =>
    {
        if (http.Request.Path.Value is ['/', '/', ..] path)
        {
            http.Request.Path = "/" + path.TrimStart('/');
        }

        return next(http);
    });
}
