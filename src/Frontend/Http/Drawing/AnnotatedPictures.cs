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
/// Draws what was found into a picture. Decoded pictures are large: only so many are drawn at the same time, only so many wait for
/// that, and none for long. A picture that must be read from Redis is read in its turn, so that those that wait hold nothing. A caller
/// holds a share of the places to wait in, and the next turn goes to the caller for whom the fewest are drawn.
/// </summary>
internal sealed partial class AnnotatedPictures(IDetectionClient client, IOptions<FrontendOptions> options, ILogger<AnnotatedPictures> logger)
{
    private const int Piece = 64 * 1024;

    private volatile bool _labelsTold;
    private readonly TimeSpan _wait = options.Value.DrawingTimeout;
    private readonly SharedPlaces _turns = new(options.Value.MaxConcurrentDrawings, callerShare: 1, siteShare: 1);
    private readonly SharedPlaces _room = new(
        options.Value.MaxConcurrentDrawings + options.Value.MaxWaitingDrawings, options.Value.CallerBufferShare, siteShare: 1);

    /// <summary>
    /// Answers with an annotated picture, piece by piece. The server copies what it is given before it waits for a slow reader, and that copy
    /// is not counted as the picture is.
    /// </summary>
    public static async Task WriteAsync(HttpResponse response, PooledBytes jpeg)
    {
        response.ContentType = "image/jpeg";
        response.ContentLength = jpeg.Memory.Length;
        for (var rest = jpeg.Memory; rest.Length > 0; rest = rest[Math.Min(Piece, rest.Length)..])
        {
            await response.Body.WriteAsync(rest[..Math.Min(Piece, rest.Length)], response.HttpContext.RequestAborted);
        }
    }

    /// <summary>The annotated picture of what a caller sent, a JPEG. The caller disposes of it.</summary>
    /// <param name="upload">The picture, or the URL that it came from.</param>
    /// <param name="answer">What was found.</param>
    /// <param name="options">The caller who asks.</param>
    /// <param name="share">Where the memory is counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">Too many are being drawn, the caller's share is used, or there is no memory for it.</exception>
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

    /// <summary>The annotated picture of an answer whose picture is in Redis, a JPEG. The caller disposes of it.</summary>
    /// <param name="answer">What was found.</param>
    /// <param name="options">The caller who asks.</param>
    /// <param name="share">Where the memory is counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">The picture has expired, too many are being drawn, or there is no memory for it.</exception>
    public async Task<PooledBytes> FetchAndDrawAsync(
        DetectionAnswer answer, DetectionOptions options, UploadShare share, CancellationToken cancellationToken)
    {
        using var place = TakePlace(answer, share);
        using var turn = await WaitForTurnAsync(answer, share, cancellationToken);
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
        if (!_labelsTold && answer.Objects.Where(o => !PictureAnnotator.CanDraw(answer.LabelOf(o))).Take(1).ToArray() is [var found])
        {
            _labelsTold = true;
            LogLabel(answer.LabelOf(found), found.ClassId);
        }

        try
        {
            await Task.Run(
                () => PictureAnnotator.Annotate(picture.Span, PictureLimits.None, answer.Objects, answer.Labels, jpeg, cancellationToken), cancellationToken);
        }
        catch (PictureException e)
        {
            // It was decoded before, but at another scale, or by the codec of another machine.
            throw new ProblemException(ProblemType.Undecodable, $"The picture has a result, but it cannot be drawn: {e.Message}", e) { ImageKey = answer.ImageKey };
        }
        catch (TimeoutException e)
        {
            // No memory to decode it became free.
            throw Busy(answer, e);
        }
    }

    private IDisposable TakePlace(DetectionAnswer answer, UploadShare share) =>
        _room.TryEnter(share.Caller, site: null)
        ?? throw (_room.Limit(share.Caller, site: null) == PlaceLimit.Caller ? ShareUsed(answer) : Busy(answer));

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
        new(ProblemType.ShareUsed, "Your annotated pictures that wait to be drawn use your share of the places. Retry after the time in Retry-After, or request JSON.") { ImageKey = answer.ImageKey };

    private static ProblemException Busy(DetectionAnswer answer, Exception? inner = null) =>
        new(ProblemType.DrawingBusy, "The server draws too many annotated pictures at the moment. Retry after the time in Retry-After, or request JSON.", inner) { ImageKey = answer.ImageKey };

    private static ProblemException Gone(DetectionAnswer answer) =>
        new(ProblemType.ResultNotFound, "The result exists, but its picture has expired. Send the picture again.") { ImageKey = answer.ImageKey };

    [LoggerMessage(
        EventId = 1,
        Level = LogLevel.Warning,
        Message = "This machine has no font with all characters of the label '{Label}'; annotated pictures show it, and others like it, as 'class {ClassId}'. Install a font that has them (Debian: fonts-noto-cjk, fonts-noto-color-emoji) and start again.")]
    private partial void LogLabel(string label, int classId);
}
