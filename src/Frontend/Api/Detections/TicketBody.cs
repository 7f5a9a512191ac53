using Detection.Client;

namespace Detection.Frontend.Api.Detections;

/// <summary>A request in progress.</summary>
/// <param name="ImageKey">Key of the picture, 64 lower-case hex digits.</param>
/// <param name="Status">queued, or running while a device processes it.</param>
/// <param name="Position">Position at which the request entered the queue, 1 for the head; 0 when unknown.</param>
/// <param name="EstimatedSeconds">Expected time from entering the queue to the answer, in seconds; absent when unknown.</param>
/// <param name="Location">Address of the answer. It names the version of the model that the request was accepted for.</param>
internal sealed record TicketBody(string ImageKey, DetectionStatus Status, int Position, double? EstimatedSeconds, string Location)
{
    public static TicketBody Of(DetectionTicket ticket, string location) =>
        new(ticket.ImageKey, ticket.Status, ticket.Position, ticket.EstimatedWait?.TotalSeconds, location);
}
