using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Objects;

namespace Detection.Tool.Detect;

/// <summary>One line of JSON: the objects in a picture, with the names of the HTTP API, or the error.</summary>
/// <param name="Picture">The file or address from the command line.</param>
/// <param name="Error">The error; then the other members are absent. Absent without an error.</param>
/// <param name="Model">The model, name@version.</param>
/// <param name="Width">Width of the upright picture, in pixels.</param>
/// <param name="Height">Height of the upright picture, in pixels.</param>
/// <param name="Threshold">Lowest score of a box.</param>
/// <param name="Boxes">The objects, highest score first.</param>
/// <param name="Timings">Durations of the stages.</param>
/// <param name="Annotated">The annotated picture, if requested.</param>
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

/// <summary>Durations of the stages, in milliseconds.</summary>
internal sealed record TimingsLine(double Decode, double Preprocess, double Inference, double Postprocess);

[JsonSerializable(typeof(PictureLine))]
internal sealed partial class PictureLineContext : JsonSerializerContext
{
    /// <summary>Does not escape × and é: the text is never part of a web page.</summary>
    public static PictureLineContext Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
