using Microsoft.AspNetCore.Http.Headers;

namespace Detection.Frontend.Api.Detections;

/// <summary>Chooses between JSON and the annotated picture by the Accept header.</summary>
internal static class PreferredAnswer
{
    /// <summary>
    /// Whether the caller prefers the annotated picture: the header names JPEG, and does not name JSON with the same or a higher
    /// weight. <c>*/*</c> names neither.
    /// </summary>
    public static bool IsPicture(RequestHeaders headers)
    {
        double picture = 0, json = 0;
        foreach (var range in headers.Accept)
        {
            var quality = range.Quality ?? 1;
            if (range.MediaType.Equals("image/jpeg", StringComparison.OrdinalIgnoreCase)
                || range.MediaType.Equals("image/*", StringComparison.OrdinalIgnoreCase))
            {
                picture = Math.Max(picture, quality);
            }
            else if (range.Type.Equals("application", StringComparison.OrdinalIgnoreCase) && (range.MatchesAllSubTypes || range.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)))
            {
                json = Math.Max(json, quality);
            }
        }

        return picture > json;
    }
}
