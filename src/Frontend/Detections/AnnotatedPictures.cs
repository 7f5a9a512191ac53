using Detection.Client;
using Detection.Frontend.Uploads;
using Detection.Inference.Annotation;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Detections;

/// <summary>Draws what was found into a picture. A decoded picture is large, so only so many are drawn at the same time.</summary>
internal sealed class AnnotatedPictures(IOptions<FrontendOptions> options, UploadMemory memory) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrentDrawings);

    /// <summary>Answers with the annotated picture, a JPEG.</summary>
    public async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> picture, DetectionAnswer answer)
    {
        var cancelled = response.HttpContext.RequestAborted;
        using var jpeg = await DrawAsync(picture, answer, cancelled);
        response.ContentType = "image/jpeg";
        response.ContentLength = jpeg.Memory.Length;
        await response.Body.WriteAsync(jpeg.Memory, cancelled);
    }

    /// <summary>The annotated picture, a JPEG. The caller disposes of it.</summary>
    public async Task<PooledBytes> DrawAsync(ReadOnlyMemory<byte> picture, DetectionAnswer answer, CancellationToken cancellationToken)
    {
        LabelledBox[] boxes = [.. answer.Objects.Select(o => new LabelledBox(o.ClassId, o.Label, o.Score, o.X1, o.Y1, o.X2, o.Y2))];
        var jpeg = new PooledBytes(memory);
        try
        {
            await _places.WaitAsync(cancellationToken);
            try
            {
                await Task.Run(() => PictureAnnotator.Annotate(picture.Span, PictureLimits.None, boxes, jpeg, cancellationToken), cancellationToken);
            }
            finally
            {
                _places.Release();
            }

            return jpeg;
        }
        catch (TimeoutException)
        {
            jpeg.Dispose();
            throw new DetectionException(DetectionError.Busy, "No memory to draw the picture became free in time. Ask again later.");
        }
        catch
        {
            jpeg.Dispose();
            throw;
        }
    }

    public void Dispose() => _places.Dispose();
}
