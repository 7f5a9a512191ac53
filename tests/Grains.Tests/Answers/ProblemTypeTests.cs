using Detection.Contracts.Answers;
using Detection.Objects;

namespace Detection.Grains.Tests.Answers;

/// <summary>The table from failures of requests to problems.</summary>
public sealed class ProblemTypeTests
{
    [Theory]
    [InlineData(FailureReason.Inference, "inference-failed", 500)]
    [InlineData(FailureReason.NotAPicture, "not-a-picture", 400)]
    [InlineData(FailureReason.Undecodable, "undecodable", 422)]
    [InlineData(FailureReason.Unsupported, "unsupported-picture", 415)]
    [InlineData(FailureReason.TooLarge, "picture-too-large", 413)]
    [InlineData(FailureReason.Poison, "inference-failed", 500)]
    [InlineData(FailureReason.PictureLost, "inference-failed", 500)]
    [InlineData(FailureReason.WebhookRefused, "webhook-refused", 400)]
    [InlineData(FailureReason.ModelGone, "model-not-found", 404)]
    [InlineData(FailureReason.ModelNotFound, "model-not-found", 404)]
    [InlineData(FailureReason.UrlNotAllowed, "url-not-allowed", 400)]
    [InlineData(FailureReason.UrlNotReachable, "url-not-reachable", 502)]
    [InlineData(FailureReason.Busy, "queue-full", 503)]
    [InlineData(FailureReason.ShareUsed, "share-used", 429)]
    [InlineData(FailureReason.WebhooksFull, "webhooks-full", 503)]
    [InlineData(FailureReason.StorageFull, "storage-full", 503)]
    [InlineData(FailureReason.Unavailable, "unavailable", 503)]
    [InlineData(FailureReason.DeadlineExceeded, "deadline-exceeded", 504)]
    [InlineData(FailureReason.Internal, "internal", 500)]
    [InlineData((FailureReason)99, "inference-failed", 500)] // from a newer silo
    public void Of_reason_returns_its_problem(FailureReason reason, string name, int status)
    {
        var type = ProblemType.Of(reason);
        Assert.Equal((name, status), (type.Name, type.Status));
    }

    [Fact]
    public void Each_reason_is_in_one_row() =>
        Assert.Equal(Enum.GetValues<FailureReason>().Order(), ProblemType.All.SelectMany(static type => type.Reasons).Order());
}
