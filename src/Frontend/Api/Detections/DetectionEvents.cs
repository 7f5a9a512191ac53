using System.Text.Json;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Problems;

namespace Detection.Frontend.Api.Detections;

/// <summary><c>GET /v1/detections/{imageKey}/events</c>: sends each state of a request as a server-sent event, and the answer at the end.</summary>
internal static class DetectionEvents
{
    // Proxies close connections that seem idle; a comment line at this interval keeps them open.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static void MapDetectionEvents(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/detections/{imageKey}/events", StreamAsync).WithQuery<AnswerQuery>().WithTags("Detections").DescribeEvents();

    private static async Task StreamAsync(
        string imageKey,
        [AsParameters] AnswerQuery query,
        HttpContext http,
        IDetectionClient client,
        IHostApplicationLifetime lifetime,
        LabelRules labels,
        TimeProvider time)
    {
        var started = time.GetTimestamp();
        var options = query.ToOptions() with { Caller = http.Caller() };
        await labels.RequireKnownAsync(options, http.RequestAborted);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        DetectionTicket ticket;
        try
        {
            ticket = await client.GetStatusAsync(imageKey, TimeSpan.Zero, null, options, ends.Token);
        }
        catch (OperationCanceledException e) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw ProblemException.Stopping(imageKey, e);
        }

        if (ticket.Status == DetectionStatus.Unknown)
        {
            throw new ProblemException(ProblemType.ResultNotFound, "There is no such request, or it has expired.")
            {
                ImageKey = RequestKey.IsImageKey(imageKey) ? imageKey : null,
            };
        }

        var response = http.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        try
        {
            while (true)
            {
                await WriteAsync(response, ticket, Tickets.Location(query, ticket), time.GetElapsedTime(started), ends.Token);
                var before = ticket.Status;
                while (ticket.Status == before && !ticket.IsFinal)
                {
                    ticket = await client.GetStatusAsync(imageKey, Heartbeat, before, options, ends.Token);
                    if (ticket.Status == before)
                    {
                        await response.WriteAsync(":\n\n", ends.Token);
                        await response.Body.FlushAsync(ends.Token);
                    }
                }

                if (ticket.Status == before || ticket.Status == DetectionStatus.Unknown)
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is DetectionException || (e is OperationCanceledException && ends.IsCancellationRequested))
        {
            // The stream ends without a final event; the client connects again, to this front end or another one.
        }
    }

    private static async Task WriteAsync(HttpResponse response, DetectionTicket ticket, string location, TimeSpan total, CancellationToken cancellationToken)
    {
        var name = JsonNamingPolicy.CamelCase.ConvertName(ticket.Status.ToString());
        var data = ticket switch
        {
            { Answer: { } answer } => JsonSerializer.Serialize(answer.ToBody(total.TotalMilliseconds), DetectionsJson.Default.DetectionBody),
            { Failure: { } failure } => JsonSerializer.Serialize(Failures.Problem(failure), ProblemsJson.Default.ProblemDetails),
            _ => JsonSerializer.Serialize(TicketBody.Of(ticket, location), DetectionsJson.Default.TicketBody),
        };
        await response.WriteAsync($"event: {name}\ndata: {data}\n\n", cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }
}
