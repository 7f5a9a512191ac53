using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Contracts.Sharing;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;
using Detection.Inference.Annotation;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Drawing;

/// <summary>
/// Draws the objects of an answer into its picture. Decoded pictures are large, so the number of concurrent drawings, the number of waiting
/// drawings and the waiting time are limited. A picture is read from Redis only when its turn has come, so that waiting drawings hold no
/// memory. A caller holds at most its share of the waiting places, and the next turn goes to the caller with the fewest drawings in progress.
/// </summary>
internal sealed partial class AnnotatedPictures(IDetectionClient client, IOptions<FrontendOptions> options, ILogger<AnnotatedPictures> logger)
{
    private const int ChunkSize = 64 * 1024;

    private volatile bool _isLabelLogged;
    private readonly TimeSpan _wait = options.Value.DrawingTimeout;
    private readonly SharedPlaces _turns = new(options.Value.MaxConcurrentDrawings, callerShare: 1, siteShare: 1);
    private readonly SharedPlaces _places = new(
        options.Value.MaxConcurrentDrawings + options.Value.MaxWaitingDrawings, options.Value.CallerBufferShare, siteShare: 1);

    /// <summary>
    /// Answers with an annotated picture, in chunks. The server copies each write before it waits for a slow reader, and this copy is not
    /// counted in the upload memory.
    /// </summary>
    public static async Task WriteAsync(HttpResponse response, PooledBytes jpeg)
    {
        response.ContentType = "image/jpeg";
        response.ContentLength = jpeg.Memory.Length;
        for (var rest = jpeg.Memory; rest.Length > 0; rest = rest[Math.Min(ChunkSize, rest.Length)..])
        {
            await response.Body.WriteAsync(rest[..Math.Min(ChunkSize, rest.Length)], response.HttpContext.RequestAborted);
        }
    }

    /// <summary>Draws an answer into the picture that a caller sent. The receiver disposes of the JPEG.</summary>
    /// <param name="upload">The picture, or its URL.</param>
    /// <param name="answer">The objects to draw.</param>
    /// <param name="options">The options of the request; they name the caller.</param>
    /// <param name="share">Counts the memory of the JPEG.</param>
    /// <param name="cancellationToken">Cancels the drawing.</param>
    /// <exception cref="ProblemException">Too many pictures are being drawn, the caller's share is used, or the upload memory is used.</exception>
    public Task<PooledBytes> DrawAsync(
        Upload upload, DetectionAnswer answer, DetectionOptions options, UploadShare share, CancellationToken cancellationToken) =>
        upload.Bytes is { } bytes
            ? DrawAsync(bytes.Memory, answer, share, cancellationToken)
            : FetchAndDrawAsync(answer, options, share, cancellationToken);

    private async Task<PooledBytes> DrawAsync(ReadOnlyMemory<byte> picture, DetectionAnswer answer, UploadShare share, CancellationToken cancellationToken)
    {
        using var place = TakePlace(answer, share);
        using var turn = await WaitForTurnAsync(answer, share, cancellationToken);
        return await DrawInTurnAsync(picture, answer, share, cancellationToken);
    }

    /// <summary>Draws an answer into its picture, which is read from Redis. The receiver disposes of the JPEG.</summary>
    /// <param name="answer">The objects to draw.</param>
    /// <param name="options">The options of the request; they name the caller.</param>
    /// <param name="share">Counts the memory of the picture and of the JPEG.</param>
    /// <param name="cancellationToken">Cancels the drawing.</param>
    /// <exception cref="ProblemException">The picture has expired, too many pictures are being drawn, or the upload memory is used.</exception>
    public async Task<PooledBytes> FetchAndDrawAsync(
        DetectionAnswer answer, DetectionOptions options, UploadShare share, CancellationToken cancellationToken)
    {
        using var place = TakePlace(answer, share);
        using var turn = await WaitForTurnAsync(answer, share, cancellationToken);
        using var picture = await client.FindPictureAsync(answer.ImageKey, options, cancellationToken) ?? throw PictureExpired(answer);
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

    private async Task<PooledBytes> DrawInTurnAsync(
        ReadOnlyMemory<byte> picture, DetectionAnswer answer, UploadShare share, CancellationToken cancellationToken)
    {
        var jpeg = new PooledBytes(share);
        try
        {
            await AnnotateAsync(picture, answer, jpeg, cancellationToken);
            return jpeg;
        }
        catch
        {
            jpeg.Dispose();
            throw;
        }
    }

    private async Task AnnotateAsync(ReadOnlyMemory<byte> picture, DetectionAnswer answer, PooledBytes jpeg, CancellationToken cancellationToken)
    {
        if (!_isLabelLogged && answer.Objects.Where(o => !PictureAnnotator.CanDraw(answer.LabelOf(o))).Take(1).ToArray() is [var found])
        {
            _isLabelLogged = true;
            LogLabel(answer.LabelOf(found), found.ClassId);
        }

        try
        {
            await Task.Run(
                () => PictureAnnotator.Annotate(picture.Span, PictureLimits.None, answer.Objects, answer.Labels, jpeg, cancellationToken), cancellationToken);
        }
        catch (PictureException e)
        {
            // The silo decoded it, but at another scale, or with the codec of another machine.
            throw new ProblemException(ProblemType.Undecodable, $"The picture has a result, but it cannot be drawn: {e.Message}", e) { ImageKey = answer.ImageKey };
        }
        catch (TimeoutException e)
        {
            // No memory for decoding became free in time.
            throw Busy(answer, e);
        }
    }

    private IDisposable TakePlace(DetectionAnswer answer, UploadShare share) =>
        _places.TryEnter(share.Caller, site: null)
        ?? throw (_places.Limit(share.Caller, site: null) == PlaceLimit.Caller ? ShareUsed(answer) : Busy(answer));

    private async Task<IDisposable> WaitForTurnAsync(DetectionAnswer answer, UploadShare share, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_wait);
        try
        {
            return await _turns.EnterAsync(share.Caller, site: null, limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Busy(answer, e);
        }
    }

    private static ProblemException ShareUsed(DetectionAnswer answer) =>
        new(ProblemType.ShareUsed, "Too many of your annotated pictures wait to be drawn. Retry after the time in Retry-After, or request JSON.") { ImageKey = answer.ImageKey };

    private static ProblemException Busy(DetectionAnswer answer, Exception? inner = null) =>
        new(ProblemType.DrawingBusy, "The server draws too many annotated pictures at the moment. Retry after the time in Retry-After, or request JSON.", inner) { ImageKey = answer.ImageKey };

    private static ProblemException PictureExpired(DetectionAnswer answer) =>
        new(ProblemType.ResultNotFound, "The result exists, but its picture has expired. Send the picture again.") { ImageKey = answer.ImageKey };

    [LoggerMessage(
        1,
        LogLevel.Warning,
        "This machine has no font with all characters of the label '{Label}'; annotated pictures show it, and other such labels, as 'class {ClassId}'. Install a font that has the characters (Debian: fonts-noto-cjk, fonts-noto-color-emoji) and restart the server.")]
    private partial void LogLabel(string label, int classId);
}
