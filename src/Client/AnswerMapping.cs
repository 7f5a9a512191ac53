using Detection.Contracts.Answers;
using Detection.Contracts.Models;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Contracts.Storage;
using Detection.Objects;

namespace Detection.Client;

/// <summary>
/// Maps what silos return to answers, tickets and exceptions of the client. Records the outcome of a request in its <see cref="ClientOperation"/>.
/// </summary>
internal static class AnswerMapping
{
    public static DetectionAnswer ToAnswer(ClientOperation operation, string imageKey, ModelInfo model, DetectionResult result, AnswerSource source)
    {
        operation.Outcome = ClientMetrics.Outcome(source);
        return DetectionAnswer.Of(imageKey, result, model.Labels, ChoiceOf(operation.Options, model), source);
    }

    public static DetectionTicket ToTicket(ClientOperation operation, string imageKey, ModelInfo model, RequestSnapshot snapshot)
    {
        operation.Outcome = "accepted";
        return snapshot.Status switch
        {
            RequestStatus.Done => ToTicket(operation, imageKey, model, snapshot.Result!),
            RequestStatus.Failed => new(imageKey, DetectionStatus.Failed, Failure: ToException(operation, snapshot.Failure!), Model: model.Id),
            RequestStatus.Expired => new(imageKey, DetectionStatus.Expired, Failure: operation.DeadlineExceeded(), Model: model.Id),
            RequestStatus.Running => new(imageKey, DetectionStatus.Running, snapshot.Position, snapshot.EstimatedWait, Model: model.Id),
            RequestStatus.Queued => new(imageKey, DetectionStatus.Queued, snapshot.Position, snapshot.EstimatedWait, Model: model.Id),
            _ => new(imageKey, DetectionStatus.Unknown, Model: model.Id),
        };
    }

    public static DetectionTicket ToTicket(ClientOperation operation, string imageKey, ModelInfo model, DetectionResult result) =>
        new(imageKey, DetectionStatus.Done, Answer: ToAnswer(operation, imageKey, model, result, AnswerSource.Cached), Model: model.Id);

    public static BoxChoice ChoiceOf(DetectionOptions options, ModelInfo model) =>
        new(Math.Max(options.Threshold ?? model.Threshold, model.ScoreFloor), options.MaxObjects, options.Labels);

    public static DetectionException ToException(ClientOperation operation, RequestFailure failure) => operation.Error(failure.Reason, failure.Message);

    /// <exception cref="DetectionException">The request was not accepted.</exception>
    public static void ThrowIfRefused(ClientOperation operation, RequestSnapshot snapshot, RedisConnections redis)
    {
        switch (snapshot.Status)
        {
            case RequestStatus.Busy:
                throw operation.Error(FailureReason.Busy, "The queue is full.", snapshot.RetryAfter);
            case RequestStatus.ShareUsed:
                throw operation.Error(
                    FailureReason.ShareUsed,
                    $"Caller '{operation.Options.Caller}' already has as many queued pictures as its share allows.",
                    snapshot.RetryAfter);
            case RequestStatus.TooLate:
                throw operation.Error(FailureReason.Busy, RefusalMessages.TooLate(snapshot, caller: null), snapshot.RetryAfter);
            case RequestStatus.OwnTooLate:
                throw operation.Error(FailureReason.ShareUsed, RefusalMessages.TooLate(snapshot, operation.Options.Caller), snapshot.RetryAfter);
            case RequestStatus.WebhookShareUsed:
                throw operation.Error(
                    FailureReason.ShareUsed,
                    $"Caller '{operation.Options.Caller}' already has as many pending webhooks as its share allows.",
                    snapshot.RetryAfter);
            case RequestStatus.WebhookRefused:
                throw operation.Error(FailureReason.WebhookRefused, snapshot.Failure!.Message);
            case RequestStatus.WebhooksFull:
                throw operation.Error(FailureReason.WebhooksFull, "The server already keeps as many pending webhooks as it can.", snapshot.RetryAfter);
            case RequestStatus.StorageFull:
                throw operation.Error(FailureReason.StorageFull, RefusalMessages.StorageFull(redis, null), snapshot.RetryAfter);
            case RequestStatus.DevicesBroken:
                throw operation.Error(FailureReason.Unavailable, $"Every device that serves '{operation.Model}' is broken.", snapshot.RetryAfter);
            case RequestStatus.Unavailable:
                throw operation.Error(FailureReason.Unavailable, "Redis does not answer, or returned an error. The silos' logs have the reason.", snapshot.RetryAfter);
        }
    }
}
