using System.Threading.RateLimiting;
using Detection.Client;
using Detection.Frontend.Problems;
using Detection.Frontend.Uploads;
using Detection.Inference.Annotation;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Detections;

/// <summary>
/// Draws what was found into a picture. Decoded pictures are large: only so many are drawn at the same time, only so many wait for
/// that, and none for long. A picture that must be read from Redis is read in its turn, so that those that wait hold nothing.
/// </summary>
internal sealed class AnnotatedPictures(IDetectionClient client, IOptions<FrontendOptions> options) : IDisposable
{
    private readonly TimeSpan _wait = options.Value.DrawingTimeout;
    private readonly ConcurrencyLimiter _turns = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = options.Value.MaxConcurrentDrawings,
        QueueLimit = options.Value.MaxWaitingDrawings,
    });

    /// <summary>Answers with an annotated picture.</summary>
    public static async Task WriteAsync(HttpResponse response, PooledBytes jpeg)
    {
        response.ContentType = "image/jpeg";
        response.ContentLength = jpeg.Memory.Length;
        await response.Body.WriteAsync(jpeg.Memory, response.HttpContext.RequestAborted);
    }

    /// <summary>The annotated picture, a JPEG. The caller disposes of it.</summary>
    /// <exception cref="ProblemException">Too many are being drawn, or there is no memory for it.</exception>
    public async Task<PooledBytes> DrawAsync(ReadOnlyMemory<byte> picture, DetectionAnswer answer, UploadShare share, CancellationToken cancellationToken)
    {
        using var turn = await WaitForTurnAsync(answer, cancellationToken);
        return await DrawInTurnAsync(picture, answer, share, cancellationToken);
    }

    /// <summary>The annotated picture of an answer whose picture is in Redis, a JPEG. The caller disposes of it.</summary>
    /// <param name="answer">What was found.</param>
    /// <param name="options">The caller who asks.</param>
    /// <param name="share">Where the memory is counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">The picture has expired, too many are being drawn, or there is no memory for it.</exception>
    public async Task<PooledBytes> FetchAndDrawAsync(
        DetectionAnswer answer, DetectionOptions options, UploadShare share, CancellationToken cancellationToken)
    {
        using var turn = await WaitForTurnAsync(answer, cancellationToken);
        using var picture = await client.FindPictureAsync(answer.ImageKey, options, cancellationToken) ?? throw Gone(answer);
        var length = picture.Memory.Length;
        share.Take(length);
        try
        {
            return await DrawInTurnAsync(picture.Memory, answer, share, cancellationToken);
        }
        finally
        {
            share.Give(length);
        }
    }

    public void Dispose() => _turns.Dispose();

    private static async Task<PooledBytes> DrawInTurnAsync(
        ReadOnlyMemory<byte> picture, DetectionAnswer answer, UploadShare share, CancellationToken cancellationToken)
    {
        LabelledBox[] boxes = [.. answer.Objects.Select(o => new LabelledBox(o.ClassId, o.Label, o.Score, o.X1, o.Y1, o.X2, o.Y2))];
        var jpeg = new PooledBytes(share);
        try
        {
            await Task.Run(() => PictureAnnotator.Annotate(picture.Span, PictureLimits.None, boxes, jpeg, cancellationToken), cancellationToken);
            return jpeg;
        }
        catch (PictureException e)
        {
            // It was decoded before, but at another scale, or by the codec of another machine.
            jpeg.Dispose();
            throw new ProblemException(ProblemType.Undecodable, $"The picture has a result, but it cannot be drawn: {e.Message}", e) { ImageKey = answer.ImageKey };
        }
        catch (TimeoutException e)
        {
            // No memory to decode it became free.
            jpeg.Dispose();
            throw Busy(answer, e);
        }
        catch
        {
            jpeg.Dispose();
            throw;
        }
    }

    private async Task<RateLimitLease> WaitForTurnAsync(DetectionAnswer answer, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_wait);
        try
        {
            var turn = await _turns.AcquireAsync(1, limit.Token);
            return turn.IsAcquired ? turn : throw Busy(answer);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Busy(answer, e);
        }
    }

    private static ProblemException Busy(DetectionAnswer answer, Exception? inner = null) =>
        new(ProblemType.DrawingBusy, "Too many pictures are being drawn. Come again after the time in Retry-After; the result itself can be read meanwhile.", inner) { ImageKey = answer.ImageKey };

    private static ProblemException Gone(DetectionAnswer answer) =>
        new(ProblemType.ResultNotFound, "The result is there, but the picture has expired. Post the picture again; it is then kept again.") { ImageKey = answer.ImageKey };
}
