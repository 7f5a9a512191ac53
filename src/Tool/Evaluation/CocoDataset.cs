using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Tool.Evaluation;

/// <summary>Pictures with annotated boxes: an annotation file in the COCO format.</summary>
public sealed record CocoDataset
{
    /// <summary>The pictures.</summary>
    public required IReadOnlyList<CocoImage> Images { get; init; }

    /// <summary>The boxes.</summary>
    public required IReadOnlyList<CocoAnnotation> Annotations { get; init; }

    /// <summary>The classes.</summary>
    public required IReadOnlyList<CocoCategory> Categories { get; init; }

    /// <summary>Reads an annotation file.</summary>
    /// <exception cref="InvalidDataException">It is not an annotation file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static CocoDataset Load(string path)
    {
        using var file = File.OpenRead(path);
        try
        {
            return JsonSerializer.Deserialize(file, CocoJsonContext.Default.CocoDataset)
                ?? throw new InvalidDataException($"{path}: not a COCO annotation file, it is null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: not a COCO annotation file: {e.Message}", e);
        }
    }
}

/// <summary>A picture.</summary>
/// <param name="Id">Its number.</param>
/// <param name="FileName">Its file.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
public sealed record CocoImage(
    [property: JsonPropertyName("id")] long Id,
    [property: JsonPropertyName("file_name")] string FileName,
    [property: JsonPropertyName("width")] int Width,
    [property: JsonPropertyName("height")] int Height);

/// <summary>An annotated box.</summary>
/// <param name="ImageId">The picture.</param>
/// <param name="CategoryId">The class.</param>
/// <param name="Box">Left, top, width, height in pixels.</param>
/// <param name="Area">Area of the object in pixels: of its outline, if it has one.</param>
/// <param name="IsCrowd">1 for a box around many objects, which counts neither as a hit nor as a miss.</param>
public sealed record CocoAnnotation(
    [property: JsonPropertyName("image_id")] long ImageId,
    [property: JsonPropertyName("category_id")] long CategoryId,
    [property: JsonPropertyName("bbox")] IReadOnlyList<double> Box,
    [property: JsonPropertyName("area")] double Area,
    [property: JsonPropertyName("iscrowd")] int IsCrowd = 0);

/// <summary>A class.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name.</param>
public sealed record CocoCategory([property: JsonPropertyName("id")] long Id, [property: JsonPropertyName("name")] string Name);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CocoDataset))]
internal sealed partial class CocoJsonContext : JsonSerializerContext;
