using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Connections;
using Microsoft.Net.Http.Headers;

namespace Detection.Frontend.Http.Uploads;

/// <summary>A body of multipart/form-data.</summary>
internal static class MultipartBody
{
    public const string ContentType = "multipart/form-data";

    private const int MaxBoundaryLength = 200;

    /// <exception cref="ProblemException">The content type has no usable boundary.</exception>
    public static MultipartSections Open(HttpRequest request, MediaTypeHeaderValue type)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        return boundary.Length is 0 or > MaxBoundaryLength
            ? throw new ProblemException(ProblemType.InvalidRequest, "The content type has no usable multipart boundary.")
            : new MultipartSections(boundary.ToString(), request.Body, toEnd: request.HttpContext.Features.Get<CompressedBody>() is not null);
    }

    /// <summary>Runs <paramref name="read"/>, and throws a problem when the body is not valid.</summary>
    /// <exception cref="ProblemException">The body is not valid multipart/form-data, and the client is still connected.</exception>
    public static async ValueTask<T> ReadAsync<T>(HttpRequest request, Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not (BadHttpRequestException or ConnectionResetException) && !request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            throw new ProblemException(ProblemType.InvalidRequest, "The body is not valid multipart/form-data.", e);
        }
    }
}
