using System.Text.Json.Serialization;

namespace Detection.Inference.Manifest;

/// <summary>How class scores are calculated from a graph's numbers.</summary>
public enum ScoreActivation
{
    /// <summary>The numbers are scores.</summary>
    None,

    /// <summary>Logits; an object may have several classes.</summary>
    Sigmoid,

    /// <summary>Logits; an object has one class, or is background if there is a background class.</summary>
    Softmax,
}

/// <summary>The index of the background class in a graph's output.</summary>
public enum BackgroundClass
{
    /// <summary>There is no background class; index 0 is the first label.</summary>
    None,

    /// <summary>Index 0 is the background; index 1 is the first label.</summary>
    First,

    /// <summary>The index after the last label is the background.</summary>
    Last,
}

/// <summary>The meaning of the four numbers of a box.</summary>
public enum BoxFormat
{
    /// <summary>Left, top, right, bottom.</summary>
    X1Y1X2Y2,

    /// <summary>Top, left, bottom, right.</summary>
    Y1X1Y2X2,

    /// <summary>Centre, then width and height.</summary>
    CxCyWH,
}

/// <summary>Unit of a box's numbers.</summary>
public enum BoxUnit
{
    /// <summary>Pixels of the input.</summary>
    Pixels,

    /// <summary>Fractions of the input's width and height, 0 to 1.</summary>
    Fraction,
}

/// <summary>
/// Settings of model families, <c>"head": {…}</c> in the manifest. A setting that is absent has the default of the family; a setting that the
/// family does not have is refused.
/// </summary>
public sealed record HeadOptions
{
    /// <summary>Input pixels per cell of each feature map, in the order of the output's rows (nanodet, yolox, efficientdet, rtmdet, centernet, yunet, scrfd).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? Strides { get; init; }

    /// <summary>Highest bin of the distance distribution; a side has one bin more than this number (nanodet; default: from the shape of the output, or 10).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RegMax { get; init; }

    /// <summary>Position of a centre in its cell, as a fraction of the cell: 0.5 for the middle (nanodet, the default), 0 for the corner (NanoDet-Plus; rtmdet, the default).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public float? CellOffset { get; init; }

    /// <summary>Whether the graph converts cells to pixels (yolox, rtmdet; default false).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Decoded { get; init; }

    /// <summary>Anchor sizes relative to the stride's (efficientdet; default 1, 2^(1/3), 2^(2/3)).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? AnchorScales { get; init; }

    /// <summary>Anchor [width, height] factors (efficientdet; default [1,1], [1.4,0.7], [0.7,1.4]).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<float>>? AnchorRatios { get; init; }

    /// <summary>Side of an anchor of scale 1, as a multiple of the stride (efficientdet; default 4).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public float? AnchorScale { get; init; }

    /// <summary>How scores are calculated (detr: softmax; rt-detr, d-fine, rtmdet, centernet: sigmoid).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ScoreActivation? Scores { get; init; }

    /// <summary>The place of the background class (detr: last; ssd: first; rt-detr, d-fine: none).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BackgroundClass? Background { get; init; }

    /// <summary>Order of a box's numbers (ssd: y1x1y2x2; detr, rt-detr, d-fine: cxcywh with logits, x1y1x2y2 otherwise).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BoxFormat? BoxFormat { get; init; }

    /// <summary>Unit of a box's numbers (ssd: fraction; detr, rt-detr, d-fine: fraction with logits, pixels otherwise).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BoxUnit? BoxUnit { get; init; }

    /// <summary>Names of the graph's outputs by their role: <c>{"scores": "cls_pred"}</c>. Outputs that are absent here are found by name and shape.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Outputs { get; init; }
}
