namespace Detection.Contracts.Fetching;

/// <summary>Fetches pictures from URLs, behind the egress guard, and puts them into the picture store.</summary>
[Alias("detection.IPictureFetchGrain")]
public interface IPictureFetchGrain : IGrainWithIntegerKey
{
    /// <summary>Fetches <paramref name="url"/> within <paramref name="budget"/>.</summary>
    /// <param name="url">Where the picture is.</param>
    /// <param name="budget">Time left until the caller's deadline.</param>
    /// <param name="caller">Who asks: whose share of the fetches it takes, and whose image key the picture gets; <see langword="null"/> for a caller without a name.</param>
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

    /// <summary>The caller's share of the fetches was used until its time was over, or its share of the memory for pictures is used.</summary>
    ShareUsed,

    /// <summary>No turn in time: as many fetches are under way as may.</summary>
    Busy,
}

/// <summary>Outcome of a fetch.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="ImageKey">The picture's key, when stored.</param>
/// <param name="Message">One sentence for a person, when not stored. Says nothing about the network inside.</param>
[GenerateSerializer, Immutable, Alias("detection.FetchOutcome")]
public sealed record FetchOutcome(
    [property: Id(0)] FetchStatus Status,
    [property: Id(1)] string? ImageKey = null,
    [property: Id(2)] string? Message = null);
