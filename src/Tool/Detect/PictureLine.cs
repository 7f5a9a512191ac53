using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Objects;

namespace Detection.Tool.Detect;

/// <summary>One line of JSON: what was found in a picture, with the names of the HTTP API, or why nothing could be.</summary>
/// <param name="Picture">The file or address as it was given.</param>
/// <param name="Error">What went wrong; absent when nothing did, as all the rest is when something did.</param>
/// <param name="Model">The model, name@version.</param>
/// <param name="Width">Width of the picture as seen upright, in pixels.</param>
/// <param name="Height">Height of the picture as seen upright, in pixels.</param>
/// <param name="Threshold">Lowest score of a box.</param>
/// <param name="Boxes">What was found, highest score first.</param>
/// <param name="Timings">Where the time went.</param>
/// <param name="Annotated">The annotated picture, where one was asked for.</param>
internal sealed record PictureLine(
    string Picture,
    string? Error = null,
    string? Model = null,
    int? Width = null,
    int? Height = null,
    float? Threshold = null,
    IReadOnlyList<BoxBody>? Boxes = null,
    TimingsLine? Timings = null,
    string? Annotated = null)
{
    /// <summary>The line, without its end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PictureLineContext.Relaxed.PictureLine);
}

/// <summary>Where the time went, in milliseconds.</summary>
internal sealed record TimingsLine(double Decode, double Preprocess, double Inference, double Postprocess);

[JsonSerializable(typeof(PictureLine))]
internal sealed partial class PictureLineContext : JsonSerializerContext
{
    /// <summary>Leaves × and é as they are: nothing here goes into a page.</summary>
    public static PictureLineContext Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
