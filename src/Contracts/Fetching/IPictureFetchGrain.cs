namespace Detection.Contracts.Fetching;

/// <summary>Fetches pictures from URLs, behind the egress guard, and puts them into the picture store.</summary>
[Alias("detection.IPictureFetchGrain")]
public interface IPictureFetchGrain : IGrainWithIntegerKey
{
    /// <summary>Fetches <paramref name="url"/> within <paramref name="budget"/>.</summary>
    /// <param name="url">Where the picture is.</param>
    /// <param name="budget">Time left until the caller's deadline.</param>
    /// <param name="caller">
    /// The caller, whose share of the fetches is used, and who owns the image key; <see langword="null"/> for a caller without a name.
    /// </param>
    /// <param name="cancellationToken">The caller has left.</param>
    [ResponseTimeout("00:01:10"), Alias("Fetch")]
    Task<FetchOutcome> Fetch(Uri url, TimeSpan budget, string? caller, CancellationToken cancellationToken);
}

/// <summary>How a fetch ended.</summary>
public enum FetchStatus
{
    /// <summary>The picture is in the picture store.</summary>
    Stored,

    /// <summary>The address may not be fetched: not http(s), or it leads to a private, loopback, link-local or otherwise closed network.</summary>
    NotAllowed,

    /// <summary>The other side could not be reached, answered an error, or redirected too often.</summary>
    NotReachable,

    /// <summary>The answer has more bytes than allowed.</summary>
    TooLarge,

    /// <summary>No complete answer in time.</summary>
    TimedOut,

    /// <summary>The caller's share of the fetches was used until the deadline, or its share of the memory for pictures is used.</summary>
    ShareUsed,

    /// <summary>The limit of concurrent fetches was reached until the deadline.</summary>
    Busy,
}

/// <summary>Outcome of a fetch.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="ImageKey">The picture's key, when stored.</param>
/// <param name="Message">One sentence for a person, when not stored. Reveals nothing about the internal network.</param>
[GenerateSerializer, Immutable, Alias("detection.FetchOutcome")]
public sealed record FetchOutcome(
    [property: Id(0)] FetchStatus Status,
    [property: Id(1)] string? ImageKey = null,
    [property: Id(2)] string? Message = null)
{
    /// <summary>Whether another fetch would end the same: the address is refused, or answered that it has no picture for us.</summary>
    [Id(3)]
    public bool IsFinal { get; init; }
}
