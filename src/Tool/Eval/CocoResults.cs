using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Objects;

namespace Detection.Tool.Eval;

/// <summary>Boxes in the result format of COCO's own evaluation.</summary>
internal sealed class CocoResults(string path)
{
    private readonly List<CocoResult> _boxes = [];

    /// <summary>Adds the boxes of a picture.</summary>
    /// <param name="imageId">The picture.</param>
    /// <param name="boxes">The boxes, in pixels.</param>
    /// <param name="categoryOf">The class of a box's class id; <see langword="null"/> for one that is not evaluated.</param>
    public void Add(long imageId, IEnumerable<DetectedObject> boxes, Func<int, long?> categoryOf)
    {
        foreach (var box in boxes)
        {
            if (categoryOf(box.ClassId) is { } category)
            {
                _boxes.Add(new CocoResult(imageId, category, [box.X1, box.Y1, box.X2 - box.X1, box.Y2 - box.Y1], box.Score));
            }
        }
    }

    /// <summary>Writes the file.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save()
    {
        using var file = File.Create(path);
        JsonSerializer.Serialize(file, _boxes, CocoResultContext.Default.ListCocoResult);
    }
}

/// <summary>A box.</summary>
/// <param name="ImageId">The picture.</param>
/// <param name="CategoryId">The class.</param>
/// <param name="Box">Left, top, width, height in pixels.</param>
/// <param name="Score">Confidence, 0 to 1.</param>
internal sealed record CocoResult(
    [property: JsonPropertyName("image_id")] long ImageId,
    [property: JsonPropertyName("category_id")] long CategoryId,
    [property: JsonPropertyName("bbox")] float[] Box,
    [property: JsonPropertyName("score")] float Score);

[JsonSerializable(typeof(List<CocoResult>))]
internal sealed partial class CocoResultContext : JsonSerializerContext;
