using Detection.Frontend.Http.Problems;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>A body of multipart/form-data.</summary>
internal static class MultipartBody
{
    private const int MaxBoundaryLength = 200;

    /// <exception cref="ProblemException">The content type has no usable boundary.</exception>
    public static MultipartSections Open(Stream body, MediaTypeHeaderValue type)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        return boundary.Length is 0 or > MaxBoundaryLength
            ? throw new ProblemException(ProblemType.InvalidRequest, "The content type has no usable multipart boundary.")
            : new MultipartSections(boundary.ToString(), body);
    }

    /// <summary>Whether <paramref name="e"/> says that the body is not what its type says, and not that its sender has left.</summary>
    public static bool IsFault(Exception e, HttpRequest request) =>
        e is InvalidDataException or IOException and not BadHttpRequestException && !request.HttpContext.RequestAborted.IsCancellationRequested;

    public static ProblemException Fault(Exception e) =>
        new(ProblemType.InvalidRequest, "The body is not valid multipart/form-data.", e);
}
