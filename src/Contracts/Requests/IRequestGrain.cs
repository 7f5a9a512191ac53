using Orleans.Concurrency;

namespace Detection.Contracts.Requests;

/// <summary>
/// One piece of work (see <see cref="RequestKey"/>) and everybody who waits for it. All calls are idempotent: a caller
/// that got no answer simply calls again.
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

    /// <summary>
    /// As <see cref="Ask"/>, but the picture is in the picture store by now: work that is not under way is put in the queue.
    /// </summary>
    [AlwaysInterleave, ResponseTimeout("00:00:10"), Alias("Submit")]
    Task<RequestSnapshot> Submit(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the state of the request, or its kept end. The caller does not count as one that waits for the work.
    /// </summary>
    /// <param name="known">What the caller knows: waits for anything else. <see langword="null"/>: waits for the end.</param>
    /// <param name="maxWait">How long to wait at most.</param>
    /// <param name="cancellationToken">The caller has left.</param>
    [AlwaysInterleave, ResponseTimeout("00:00:10"), Alias("Watch")]
    Task<RequestSnapshot> Watch(RequestStatus? known, TimeSpan maxWait, CancellationToken cancellationToken);

    /// <summary>A batcher has claimed the work.</summary>
    [AlwaysInterleave, OneWay, Alias("Started")]
    Task Started();

    /// <summary>The work has ended, and was settled in Redis by the batcher that calls.</summary>
    [AlwaysInterleave, OneWay, Alias("Complete")]
    Task Complete(RequestSnapshot outcome);
}
