using Detection.Contracts.Requests;
using Detection.Contracts.Storage;

namespace Detection.Grains.Queueing;

/// <summary>Failures that are told from several places.</summary>
internal static class RequestFailures
{
    /// <summary>The picture of a request that is to be accepted is not there: whoever brought it brings it again.</summary>
    public static readonly RequestSnapshot PictureLost =
        new(RequestStatus.Failed, Failure: new(FailureReason.PictureLost, "The picture is not kept any more."));

    /// <summary>The version of the model takes no requests, or was let go before the turn of an accepted one came.</summary>
    public static readonly RequestSnapshot ModelGone = new(
        RequestStatus.Failed,
        Failure: new(FailureReason.ModelGone, "This version of the model was removed or replaced before the picture's turn came. Send the picture again for the version that is served by now."));

    /// <summary>Nobody can say when a broken device works again; they are tried from time to time.</summary>
    public static readonly RequestSnapshot DevicesBroken = new(RequestStatus.DevicesBroken, RetryAfter: TimeSpan.FromSeconds(5));

    /// <summary>Redis does not do what a request needs: it cannot be reached, or has no memory left.</summary>
    public static RequestSnapshot Refused(Exception exception) =>
        new(RedisConnection.IsFull(exception) ? RequestStatus.StorageFull : RequestStatus.Unavailable, RetryAfter: TimeSpan.FromSeconds(1));

    /// <summary>Its batchers died too often.</summary>
    public static readonly RequestSnapshot Poison =
        new(RequestStatus.Failed, Failure: new(FailureReason.Poison, "This picture was given up: the batchers that held it died."));
}
