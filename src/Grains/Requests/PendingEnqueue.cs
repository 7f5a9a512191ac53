using Detection.Contracts.Requests;

namespace Detection.Grains.Requests;

/// <summary>Work that is being put into the queue. Whoever joins it meanwhile waits for what becomes of that.</summary>
/// <param name="terms">Of the caller who brought it.</param>
internal sealed class PendingEnqueue(RequestTerms terms)
{
    private readonly TaskCompletionSource<RequestSnapshot?> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How it ended when it is not in the queue; <see langword="null"/> when it is.</summary>
    public Task<RequestSnapshot?> Outcome => _outcome.Task;

    /// <summary>The outcome is known.</summary>
    public void End(RequestSnapshot? outcome) => _outcome.TrySetResult(outcome);

    /// <summary>
    /// Whether a refusal also holds for a caller that joined. A caller with another share or more time may be accepted where the first
    /// caller was refused.
    /// </summary>
    public bool HoldsFor(RequestTerms joining, RequestSnapshot outcome) =>
        outcome.Status is not (RequestStatus.Busy or RequestStatus.ShareUsed or RequestStatus.TooLate or RequestStatus.OwnTooLate)
        || (joining.Caller == terms.Caller && joining.Budget <= terms.Budget);
}
