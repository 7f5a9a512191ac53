using System.Text.Json.Serialization;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Manifest;

/// <summary>How to fill the input of a model and how to read its outputs: <c>model.json</c>.</summary>
public sealed record ModelManifest
{
    /// <summary>Family of the head, one of <see cref="HeadFamilies.Names"/>.</summary>
    public required string Family { get; init; }

    /// <summary>The form of the input.</summary>
    public required InputSpec Input { get; init; }

    /// <summary>Settings of the family; <see langword="null"/> for its usual ones.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HeadOptions? Head { get; init; }

    /// <summary>Boxes below this score are not kept, 0 to 1.</summary>
    public float ScoreFloor { get; init; } = 0.05f;

    /// <summary>Default threshold of requests, 0 to 1.</summary>
    public float Threshold { get; init; } = 0.4f;

    /// <summary>Overlap above which non-max suppression drops the weaker box, 0 to 1.</summary>
    public float Iou { get; init; } = 0.6f;

    /// <summary>Maximum number of boxes per picture, highest scores first, 1 to 10,000.</summary>
    public int MaxBoxes { get; init; } = 300;

    /// <summary>
    /// Whether boxes of different classes suppress each other. <see langword="null"/> for the default of the family: yes for efficientdet, no for the
    /// others.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? ClassAgnostic { get; init; }

    /// <summary>Class names; a class id is an index into them. In the file a list, the name of a text file beside it with one name a line, or that of a label set.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>Writes the manifest, replacing the file in one step.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        File.WriteAllText(temporary, ToJson());
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The text of <c>model.json</c>, with every setting written out.</summary>
    public string ToJson() => ManifestWriter.ToText(ManifestTree.Of(this));
}
