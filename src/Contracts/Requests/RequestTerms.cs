namespace Detection.Contracts.Requests;

/// <summary>What a caller asks of a request, besides the work itself.</summary>
/// <param name="Budget">Time left until the caller's deadline. A duration, not a time of day, so that the clocks of callers and silos may differ.</param>
/// <param name="Asynchronous">The caller will ask for the answer later, so the work continues without a waiting caller.</param>
/// <param name="TraceParent">W3C trace context of the caller (<c>traceparent</c>), so that the batch links back to it.</param>
/// <param name="Caller">Name under which the caller's share of the queue is counted; <see langword="null"/> for a caller without a name.</param>
/// <param name="Webhook">The webhook of an asynchronous request; <see langword="null"/> for none.</param>
/// <param name="Source">
/// The URL of the picture. When the picture is lost before an asynchronous request has ended, it is fetched from there again; <see langword="null"/>
/// when the caller sent the picture.
/// </param>
[GenerateSerializer, Immutable, Alias("detection.RequestTerms")]
public sealed record RequestTerms(
    [property: Id(0)] TimeSpan Budget,
    [property: Id(1)] bool Asynchronous = false,
    [property: Id(2)] string? TraceParent = null,
    [property: Id(3)] string? Caller = null,
    [property: Id(4)] WebhookTerms? Webhook = null,
    [property: Id(5)] Uri? Source = null);
