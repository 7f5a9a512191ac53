using Detection.Client;
using Detection.Inference.Annotation;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Detections;

/// <summary>Draws what was found into a picture. A decoded picture is large, so only so many are drawn at the same time.</summary>
internal sealed class AnnotatedPictures(IOptions<FrontendOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrentDrawings);

    /// <summary>Answers with the annotated picture, a JPEG.</summary>
    public async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> picture, DetectionAnswer answer)
    {
        var cancelled = response.HttpContext.RequestAborted;
        byte[] jpeg;
        await _places.WaitAsync(cancelled);
        try
        {
            jpeg = await Task.Run(() => PictureAnnotator.Annotate(picture.Span, answer.Objects), cancelled);
        }
        finally
        {
            _places.Release();
        }

        response.ContentType = "image/jpeg";
        response.ContentLength = jpeg.Length;
        await response.Body.WriteAsync(jpeg, cancelled);
    }

    public void Dispose() => _places.Dispose();
}
