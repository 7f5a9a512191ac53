using Detection.Contracts.Requests;

namespace Detection.Grains.Requests;

/// <summary>
/// What of a request outlives its callers and its silo. A request with waiting callers needs none of it: the queue's mark and the
/// result stand in Redis, and a caller asks again. Kept are the end of a request that was given up, and that nobody need wait for
/// an asynchronous one.
/// </summary>
[GenerateSerializer, Alias("detection.RequestState")]
internal sealed class RequestState
{
    /// <summary>Somebody will come back for the answer.</summary>
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
}
