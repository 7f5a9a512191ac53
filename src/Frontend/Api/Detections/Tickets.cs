using Detection.Client;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Detection.Frontend.Api.Detections;

/// <summary>The response for a request in progress.</summary>
internal static class Tickets
{
    private const string Preference = "respond-async";

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>Whether the caller said <c>Prefer: respond-async</c> (RFC 7240).</summary>
    public static bool IsAsyncPreferred(HttpRequest request) =>
        request.Headers.GetCommaSeparatedValues("Prefer").Any(static value =>
            value.Split(';')[0].Trim().Equals(Preference, StringComparison.OrdinalIgnoreCase));

    /// <summary>202 with the address of the answer.</summary>
    public static JsonHttpResult<TicketBody> Answer(HttpContext http, DetectionTicket ticket, AnswerQuery chosen)
    {
        var location = Location(chosen, ticket);
        var headers = http.Response.Headers;
        headers.Location = location;
        headers.CacheControl = "no-store";
        var wait = ticket.EstimatedWait ?? TimeSpan.Zero;
        http.Response.SetRetryAfter(wait < LongestPause ? wait : LongestPause);
        if (IsAsyncPreferred(http.Request))
        {
            headers["Preference-Applied"] = Preference;
        }

        return TypedResults.Json(TicketBody.Of(ticket, location), DetectionsJson.Default.TicketBody, statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// The address of the answer, with the caller's parameters. It names the version of the model that the request was accepted for, so
    /// that the answer is found there after the model was replaced.
    /// </summary>
    public static string Location(AnswerQuery chosen, DetectionTicket ticket)
    {
        var query = new QueryBuilder();
        if ((ticket.Model ?? chosen.Model) is { Length: > 0 } model)
        {
            query.Add("model", model);
        }

        foreach (var (name, value) in chosen.Chosen())
        {
            query.Add(name, value);
        }

        return $"/v1/detections/{ticket.ImageKey}{query}";
    }
}
