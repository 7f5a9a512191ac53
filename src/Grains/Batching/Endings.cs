using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Objects;

namespace Detection.Grains.Batching;

/// <summary>Turns the outcomes of pictures into the final states of their requests.</summary>
internal static class Endings
{
    /// <summary>The final state of a request whose picture came off the device.</summary>
    public static RequestSnapshot Of(QueuedItem item, PictureOutcome outcome, DateTimeOffset claimedAt, int batchSize) => outcome.Kind switch
    {
        OutcomeKind.Expired => new RequestSnapshot(RequestStatus.Expired),
        OutcomeKind.Failed => new RequestSnapshot(RequestStatus.Failed, Failure: Failure(outcome.Error)),
        _ => new RequestSnapshot(RequestStatus.Done, Result(item, outcome, claimedAt, batchSize)),
    };

    /// <summary>The final state of a request on whose picture devices failed too often.</summary>
    public static RequestSnapshot DeadLetter(Exception? error, int attempts) => error is WrongPictureException ? RequestFailures.PictureLost : new(
        RequestStatus.Failed,
        Failure: new RequestFailure(
            FailureReason.Inference,
            error is ModelException ? Failure(error).Message : $"The model failed on this picture {attempts} times, on different devices if there are several. Retry later."));

    private static DetectionResult Result(QueuedItem item, PictureOutcome outcome, DateTimeOffset claimedAt, int batchSize) => new(
        item.Key.Model,
        outcome.Width,
        outcome.Height,
        outcome.Boxes,
        new StageTimings(
            Math.Max(0, (claimedAt - item.EnqueuedAt).TotalMilliseconds),
            outcome.Decode.TotalMilliseconds,
            outcome.Preprocess.TotalMilliseconds,
            outcome.Inference.TotalMilliseconds,
            outcome.Postprocess.TotalMilliseconds,
            batchSize));

    private static RequestFailure Failure(Exception? error) => error is PictureException picture
        ? new RequestFailure(picture.Reason, picture.Message)
        : new RequestFailure(
            FailureReason.Inference,
            error is ModelException ? $"The model failed on this picture: {error.Message}" : "The model failed on this picture.");
}
