using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Objects;

namespace Detection.Grains.Queueing;

/// <summary>Failures that are returned in several places.</summary>
internal static class RequestFailures
{
    /// <summary>The picture of a request that is to be accepted is not stored: the client sends it again.</summary>
    public static readonly RequestSnapshot PictureLost =
        new(RequestStatus.Failed, Failure: new(FailureReason.PictureLost, "The picture has expired. Send it again."));

    /// <summary>The version of the model accepts no requests, or was unloaded before an accepted request was processed.</summary>
    public static readonly RequestSnapshot ModelGone = new(
        RequestStatus.Failed,
        Failure: new(FailureReason.ModelGone, "The model version was removed or replaced while the picture was queued. Send the picture again."));

    /// <summary>A broken device is retried at intervals; when it will work again is not known.</summary>
    public static readonly RequestSnapshot DevicesBroken = new(RequestStatus.DevicesBroken, RetryAfter: TimeSpan.FromSeconds(5));

    /// <summary>Redis refuses a request: it cannot be reached, or has no memory left.</summary>
    public static RequestSnapshot Refused(Exception exception) =>
        new(RedisConnection.IsFull(exception) ? RequestStatus.StorageFull : RequestStatus.Unavailable, RetryAfter: TimeSpan.FromSeconds(1));

    /// <summary>Whether Redis refuses, directly or through the grain storage.</summary>
    public static bool IsRefusal(Exception exception) => RedisConnection.IsOutage(exception) || RedisConnection.IsFull(exception);

    /// <summary>The leases of its batchers expired too often.</summary>
    public static readonly RequestSnapshot Poison =
        new(RequestStatus.Failed, Failure: new(FailureReason.Poison, "The picture is not processed again: each worker that processed it stopped before it was done."));
}
