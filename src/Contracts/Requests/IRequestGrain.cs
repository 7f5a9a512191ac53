using Orleans.Concurrency;

namespace Detection.Contracts.Requests;

/// <summary>
/// One request (see <see cref="RequestKey"/>) and all callers that wait for it. All calls are idempotent: a caller that got no answer calls again.
/// </summary>
[Alias("detection.IRequestGrain")]
public interface IRequestGrain : IGrainWithStringKey
{
    /// <summary>
    /// Asks for the work without bringing the picture: answers the result when it is known, waits up to
    /// <paramref name="maxWait"/> when the work is under way, and answers <see cref="RequestStatus.Unknown"/> otherwise.
    /// </summary>
    [AlwaysInterleave, ResponseTimeout("00:00:10"), Alias("Ask")]
    Task<RequestSnapshot> Ask(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken);

    /// <summary>As <see cref="Ask"/>, but the picture is in the picture store by now: work that is not under way is put in the queue.</summary>
    [AlwaysInterleave, ResponseTimeout("00:00:10"), Alias("Submit")]
    Task<RequestSnapshot> Submit(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken);

    /// <summary>Reads the state of the request, or its stored outcome. Reading does not keep the work alive.</summary>
    /// <param name="known">The status that the caller knows: waits for any other one. <see langword="null"/>: waits for the end.</param>
    /// <param name="maxWait">Maximum time to wait.</param>
    /// <param name="cancellationToken">The caller has left.</param>
    [AlwaysInterleave, ResponseTimeout("00:00:10"), Alias("Watch")]
    Task<RequestSnapshot> Watch(RequestStatus? known, TimeSpan maxWait, CancellationToken cancellationToken);

    /// <summary>A batcher has claimed the work.</summary>
    [AlwaysInterleave, OneWay, Alias("Started")]
    Task Started();

    /// <summary>The work has ended. The batcher that calls has settled it in Redis.</summary>
    [AlwaysInterleave, OneWay, Alias("Complete")]
    Task Complete(RequestSnapshot outcome);
}
