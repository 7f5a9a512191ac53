using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net.Mime;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Drawing;
using Detection.Frontend.Http.OpenApi;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>
/// The HTTP API of the system that this one replaces: <c>POST /detect/imageDetect</c> of its detector, which answers the annotated JPEG in
/// base64, and <c>POST /detectImage</c> and <c>POST /detectOutWithCache</c> of its web application, which answer a page.
/// </summary>
internal static class LegacyEndpoints
{
    private const string LinkField = "imageLink";
    private const string Base64Field = "imageBase64Code";
    private const string FileField = "imageFile";

    // 3 bytes of a picture are 4 characters of base64. A multiple of 3, so that only the last write needs padding.
    private const int ChunkBytes = 3 * 4096;

    // The page loads nothing; the picture is in it.
    private const string ContentSecurityPolicy = "default-src 'none'; img-src data:; frame-ancestors 'none'";

    public static void MapLegacy(this IEndpointRouteBuilder routes)
    {
        const string Page = "Get a page with the annotated picture, as from the replaced web application";
        routes.MapPost("/detect/imageDetect", DetectAsync).WithMetadata(new LegacyTextFailureForm())
            .WithName("DetectLegacy")
            .Describe("Get the annotated picture in base64, as from the replaced detector", MediaTypeNames.Text.Plain);
        routes.MapPost("/detectImage", DetectPageAsync).WithMetadata(new LegacyPageFailureForm())
            .WithName("DetectLegacyPage")
            .Describe(Page, MediaTypeNames.Text.Html);
        routes.MapPost("/detectOutWithCache", DetectPageAsync).WithMetadata(new LegacyPageFailureForm())
            .WithName("DetectLegacyCachedPage")
            .Describe(Page, MediaTypeNames.Text.Html);
    }

    private static void Describe(this RouteHandlerBuilder route, string summary, string contentType) => route
        .WithTags("Legacy")
        .WithSummary(summary)
        .WithDescription("Takes one picture, as a file, in base64 or by its URL. The answer to a failure is one sentence with the same content type.")
        .Produces<string>(StatusCodes.Status200OK, contentType)
        .Produces<string>(StatusCodes.Status400BadRequest, contentType)
        .Produces<string>(StatusCodes.Status401Unauthorized, contentType)
        .Produces<string>(StatusCodes.Status422UnprocessableEntity, contentType)
        .Produces<string>(StatusCodes.Status503ServiceUnavailable, contentType)
        .WithOperation(static (operation, _) =>
        {
            var form = OpenApiParts.Object(
                (LinkField, OpenApiParts.Text("http(s) URL of the picture.")),
                (Base64Field, OpenApiParts.Text("The picture in base64.")),
                (FileField, OpenApiParts.Binary("The encoded picture.")));
            operation.RequestBody = OpenApiParts.Body((MediaTypeNames.Application.FormUrlEncoded, form), (MediaTypeNames.Multipart.FormData, form));
        });

    private static async Task DetectAsync(HttpContext http, IDetectionClient client, UploadFormReader forms, AnnotatedPictures pictures, UploadMemory memory)
    {
        using var jpeg = await AnnotateAsync(http, client, forms, pictures, memory);
        var response = http.Response;
        response.ContentType = MediaTypeNames.Text.Plain;
        response.ContentLength = Base64.GetMaxEncodedToUtf8Length(jpeg.Memory.Length);
        await WriteBase64Async(response.BodyWriter, jpeg.Memory, http.RequestAborted);
    }

    private static async Task DetectPageAsync(HttpContext http, IDetectionClient client, UploadFormReader forms, AnnotatedPictures pictures, UploadMemory memory)
    {
        using var jpeg = await AnnotateAsync(http, client, forms, pictures, memory);
        var response = http.Response;
        WritePageHeaders(response);
        var body = response.BodyWriter;
        body.Write("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Detection</title></head>\n<body><img alt=\"The picture with what was found\" src=\"data:image/jpeg;base64,"u8);
        await WriteBase64Async(body, jpeg.Memory, http.RequestAborted);
        body.Write("\"></body>\n</html>\n"u8);
        await body.FlushAsync(http.RequestAborted);
    }

    /// <summary>Writes the headers of a page, also of one with a failure.</summary>
    public static void WritePageHeaders(HttpResponse response)
    {
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.CacheControl = "no-store";
    }

    private static async Task<PooledBytes> AnnotateAsync(HttpContext http, IDetectionClient client, UploadFormReader forms, AnnotatedPictures pictures, UploadMemory memory)
    {
        var cancelled = http.RequestAborted;
        var options = new DetectionOptions { Caller = http.Caller() };
        using var form = await forms.ReadAsync(http.Request, FileField, Base64Field, cancelled);
        using var upload = ToUpload(form);
        var answer = await client.DetectAsync(upload, options, cancelled);
        return await pictures.DrawAsync(upload, answer, options, memory.ShareOf(http), cancelled);
    }

    private static Upload ToUpload(UploadForm form)
    {
        if (form.Picture is { } picture)
        {
            return new Upload(picture);
        }

        var link = form.Text(LinkField)
            ?? throw new ProblemException(ProblemType.InvalidRequest, $"The form has none of '{LinkField}', '{Base64Field}' and '{FileField}'.");
        return new Upload(UrlParameter.Parse(LinkField, link.Trim()));
    }

    private static async Task WriteBase64Async(PipeWriter writer, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var chunk = bytes[..Math.Min(ChunkBytes, bytes.Length)];
            Base64Picture.Encode(chunk.Span, writer);
            bytes = bytes[chunk.Length..];
            await writer.FlushAsync(cancellationToken);
        }
    }
}
