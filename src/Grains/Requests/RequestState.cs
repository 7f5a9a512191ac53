using Detection.Contracts.Requests;

namespace Detection.Grains.Requests;

/// <summary>
/// What is kept of a request after its callers and its silo. A request whose callers wait needs no state: the mark and the
/// result are in Redis, and the client asks again. The state keeps that a request is asynchronous, and the end of a request that was
/// given up.
/// </summary>
[GenerateSerializer, Alias("detection.RequestState")]
internal sealed class RequestState
{
    /// <summary>A caller will ask for the answer later.</summary>
    [Id(0)]
    public bool Asynchronous { get; set; }

    /// <summary>When its answer is of no use any more.</summary>
    [Id(1)]
    public DateTimeOffset Deadline { get; set; }

    /// <summary>How it ended, unless with a result.</summary>
    [Id(2)]
    public RequestSnapshot? End { get; set; }

    /// <summary>When it ended.</summary>
    [Id(3)]
    public DateTimeOffset EndedAt { get; set; }

    /// <summary>Webhooks wait for its end.</summary>
    [Id(4)]
    public bool Webhooks { get; set; }

    /// <summary>Where the picture of an asynchronous request was fetched from; <see langword="null"/> when its caller brought it.</summary>
    [Id(5)]
    public Uri? Source { get; set; }

    /// <summary>For whom it was fetched; <see langword="null"/> for a caller without a name.</summary>
    [Id(6)]
    public string? SourceCaller { get; set; }
}
