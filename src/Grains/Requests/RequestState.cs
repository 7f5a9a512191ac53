using Detection.Contracts.Requests;

namespace Detection.Grains.Requests;

/// <summary>
/// The stored state of a request, which outlives its callers and its silo. A request whose callers wait needs no state: the mark and the result are
/// in Redis, and the client asks again. The state records that a request is asynchronous, and its outcome when it ended without a result.
/// </summary>
[GenerateSerializer, Alias("detection.RequestState")]
internal sealed class RequestState
{
    /// <summary>A caller will ask for the answer later.</summary>
    [Id(0)]
    public bool Asynchronous { get; set; }

    /// <summary>Its deadline.</summary>
    [Id(1)]
    public DateTimeOffset Deadline { get; set; }

    /// <summary>Its outcome, unless it has a result.</summary>
    [Id(2)]
    public RequestSnapshot? End { get; set; }

    /// <summary>When it ended.</summary>
    [Id(3)]
    public DateTimeOffset EndedAt { get; set; }

    /// <summary>Whether webhooks wait for its end.</summary>
    [Id(4)]
    public bool Webhooks { get; set; }

    /// <summary>The URL from which the picture of an asynchronous request was fetched; <see langword="null"/> when its caller sent the picture.</summary>
    [Id(5)]
    public Uri? Source { get; set; }

    /// <summary>The caller for whom it was fetched; <see langword="null"/> for a caller without a name.</summary>
    [Id(6)]
    public string? SourceCaller { get; set; }

    /// <summary>Whether its picture is being fetched again: another activation continues when the silo that does it is lost.</summary>
    [Id(7)]
    public bool FetchesAgain { get; set; }
}
