using Detection.Contracts.Requests;

namespace Detection.Grains.Requests;

/// <summary>Work that is being put into the queue. Callers that join meanwhile wait for the outcome.</summary>
internal sealed class PendingEnqueue(RequestTerms terms)
{
    private readonly TaskCompletionSource<RequestSnapshot?> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The final state when the work is not in the queue; <see langword="null"/> when it is.</summary>
    public Task<RequestSnapshot?> Outcome => _outcome.Task;

    /// <summary>Sets the outcome.</summary>
    public void End(RequestSnapshot? outcome) => _outcome.TrySetResult(outcome);

    /// <summary>
    /// Whether a refusal also applies to a caller that joined. A caller with another share or more time may be accepted when the first caller was refused.
    /// </summary>
    public bool HoldsFor(RequestTerms joining, RequestSnapshot outcome) =>
        outcome.Status is not (RequestStatus.Busy or RequestStatus.ShareUsed or RequestStatus.TooLate or RequestStatus.OwnTooLate)
        || (joining.Caller == terms.Caller && joining.Budget <= terms.Budget);
}
