using Detection.Contracts.Requests;

namespace Detection.Grains.Requests;

/// <summary>Failures that are told from several places.</summary>
internal static class RequestFailures
{
    public static readonly RequestSnapshot Poison =
        new(RequestStatus.Failed, Failure: new(FailureReason.Poison, "This picture was given up: the batchers that held it died."));
}
