using Detection.Client;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Reads the whole body of a request with one picture into pooled memory.</summary>
internal sealed class UploadBodyReader(UploadMemory memory, UploadTimeout timeout, IOptions<DetectionClientOptions> client)
{
    private readonly int _max = (int)Math.Min(UploadReader.MaxBodyBytes(client.Value), Array.MaxLength - 1);

    /// <exception cref="ProblemException">The body is too large or too slow.</exception>
    /// <exception cref="UploadAbandonedException">The client disconnected.</exception>
    public ValueTask<PooledBytes> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        timeout.ApplyAsync(limited => PooledBytes.ReadAsync(request.Body, request.ContentLength, _max, memory.ShareOf(request.HttpContext), limited), cancellationToken);
}
