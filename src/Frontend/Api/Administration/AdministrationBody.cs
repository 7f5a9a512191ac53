using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;

namespace Detection.Frontend.Api.Administration;

/// <summary>What silos do after they were told to retry a model.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Silos">One for each silo with a device.</param>
internal sealed record RetryBody(string Model, IReadOnlyList<SiloRetryBody> Silos);

/// <summary>What one silo does.</summary>
/// <param name="Name">Name of the silo.</param>
/// <param name="Outcome">retrying: it tries again now. serving: there is nothing to retry. notFound: it has no model of this name. unreachable: it did not answer.</param>
internal sealed record SiloRetryBody(string Name, RetryOutcome Outcome);

/// <summary>A silo that was told to drain.</summary>
/// <param name="Silo">Name of the silo.</param>
internal sealed record DrainBody(string Silo);

/// <summary>Requests that were given up.</summary>
/// <param name="Items">The last ones, newest first, 100 at most.</param>
internal sealed record GivenUpBody(IReadOnlyList<GivenUpItemBody> Items);

/// <summary>A request that was given up.</summary>
/// <param name="ImageKey">Key of its picture.</param>
/// <param name="Model">The model, name@version.</param>
/// <param name="Iou">Overlap that the request chose; absent for the model's own.</param>
/// <param name="Reason">poison: the processes that worked on it stopped. device: devices failed on it.</param>
/// <param name="Attempts">How often that happened.</param>
/// <param name="At">When it was given up.</param>
/// <param name="PictureUntil">When its picture expires; absent when it has.</param>
internal sealed record GivenUpItemBody(
    string ImageKey, string Model, float? Iou, string Reason, int Attempts, DateTimeOffset At, DateTimeOffset? PictureUntil)
{
    public static GivenUpItemBody Of(DeadLetter letter) =>
        new(letter.Key.ImageKey, letter.Key.Model, letter.Key.Iou, letter.Reason, letter.Attempts, letter.At, letter.PictureUntil);
}
