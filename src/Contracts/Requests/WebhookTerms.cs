using Detection.Contracts.Results;

namespace Detection.Contracts.Requests;

/// <summary>Who is to be told of the end of a request, and what of it.</summary>
/// <param name="Url">http(s) URL that gets the end as a POST.</param>
/// <param name="Choice">What of the result.</param>
[GenerateSerializer, Immutable, Alias("detection.WebhookTerms")]
public sealed record WebhookTerms(
    [property: Id(0)] Uri Url,
    [property: Id(1)] BoxChoice Choice);
