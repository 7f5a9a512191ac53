using Detection.Client;

namespace Detection.Frontend.Api.Detections;

/// <summary>A request that is not answered yet.</summary>
/// <param name="ImageKey">Key of the picture, 64 lower-case hex digits.</param>
/// <param name="Status">queued, or running when a device works on it.</param>
/// <param name="Position">Place in the queue when it entered, 1 for the head; 0 when not known.</param>
/// <param name="EstimatedSeconds">Expected time from entering the queue to the answer, where it is known.</param>
/// <param name="Location">Where to ask for the answer: it names the version of the model that the request was accepted for.</param>
internal sealed record TicketBody(string ImageKey, DetectionStatus Status, int Position, double? EstimatedSeconds, string Location)
{
    public static TicketBody Of(DetectionTicket ticket, string location) =>
        new(ticket.ImageKey, ticket.Status, ticket.Position, ticket.EstimatedWait?.TotalSeconds, location);
}
