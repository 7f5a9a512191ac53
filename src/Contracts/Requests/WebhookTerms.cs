using Detection.Contracts.Results;

namespace Detection.Contracts.Requests;

/// <summary>The webhook of a request.</summary>
/// <param name="Url">http(s) URL to which the outcome is sent as a POST.</param>
/// <param name="Choice">The objects of the result that it contains.</param>
[GenerateSerializer, Immutable, Alias("detection.WebhookTerms")]
public sealed record WebhookTerms(
    [property: Id(0)] Uri Url,
    [property: Id(1)] BoxChoice Choice);
