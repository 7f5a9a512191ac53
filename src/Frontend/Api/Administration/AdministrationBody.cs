using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;

namespace Detection.Frontend.Api.Administration;

/// <summary>The outcomes of the retry of a model.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Silos">One for each silo with a device.</param>
internal sealed record RetryBody(string Model, IReadOnlyList<SiloRetryBody> Silos);

/// <summary>The outcome on one silo.</summary>
/// <param name="Name">Name of the silo.</param>
/// <param name="Outcome">retrying: the silo retries now. serving: there is nothing to retry. notFound: the silo has no model with this name. drained: the silo was drained and retries nothing until its process is restarted. unreachable: the silo did not answer.</param>
internal sealed record SiloRetryBody(string Name, RetryOutcome Outcome);

/// <summary>A silo that drains.</summary>
/// <param name="Silo">Name of the silo.</param>
internal sealed record DrainBody(string Silo);

/// <summary>Requests that became dead letters.</summary>
/// <param name="Items">The last 100, newest first.</param>
internal sealed record DeadLettersBody(IReadOnlyList<DeadLetterBody> Items);

/// <summary>A request that became a dead letter.</summary>
/// <param name="ImageKey">Key of its picture.</param>
/// <param name="Model">The model, name@version.</param>
/// <param name="Iou">Parameter iou of the request; absent without one.</param>
/// <param name="Reason">poison: the processes that processed it stopped. device: devices failed on it.</param>
/// <param name="Attempts">Number of such failures.</param>
/// <param name="At">Time at which it became a dead letter.</param>
/// <param name="PictureUntil">When its picture expires; absent when it has expired.</param>
internal sealed record DeadLetterBody(
    string ImageKey, string Model, float? Iou, string Reason, int Attempts, DateTimeOffset At, DateTimeOffset? PictureUntil)
{
    public static DeadLetterBody Of(DeadLetter letter) =>
        new(letter.Key.ImageKey, letter.Key.Model, letter.Key.Iou, letter.Reason, letter.Attempts, letter.At, letter.PictureUntil);
}
