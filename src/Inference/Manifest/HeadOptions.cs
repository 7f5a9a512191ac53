using System.Text.Json.Serialization;

namespace Detection.Inference.Manifest;

/// <summary>How class scores are made from a graph's numbers.</summary>
public enum ScoreActivation
{
    /// <summary>They are scores already.</summary>
    None,

    /// <summary>Logits, one yes-or-no question per class.</summary>
    Sigmoid,

    /// <summary>Logits, the classes (and the background, if there is one) exclude each other.</summary>
    Softmax,
}

/// <summary>Where a graph's class numbers have a place for "nothing".</summary>
public enum BackgroundClass
{
    /// <summary>Nowhere: number 0 is the first label.</summary>
    None,

    /// <summary>Number 0 is the background, number 1 the first label.</summary>
    First,

    /// <summary>The number after the last label is the background.</summary>
    Last,
}

/// <summary>What the four numbers of a box are.</summary>
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

    /// <summary>Parts of the input's width and height, 0 to 1.</summary>
    Fraction,
}

/// <summary>
/// Settings of single families, <c>"head": {…}</c> in the manifest. What is absent takes the family's usual value; what the
/// family does not know is refused.
/// </summary>
public sealed record HeadOptions
{
    /// <summary>Input pixels per cell of each feature map, in the order of the output's rows (nanodet, yolox, efficientdet, yunet, scrfd).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? Strides { get; init; }

    /// <summary>Highest bin of the distance distribution: a side has this number plus one of bins (nanodet; default 10 or what the output has room for).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RegMax { get; init; }

    /// <summary>Where in its cell a centre lies, in cells: 0.5 the middle (nanodet, the default), 0 the corner (NanoDet-Plus).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public float? CellOffset { get; init; }

    /// <summary>Whether the graph itself turns cells into pixels (yolox; default no).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Decoded { get; init; }

    /// <summary>Anchor sizes relative to the stride's (efficientdet; default 1, 2^(1/3), 2^(2/3)).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<float>? AnchorScales { get; init; }

    /// <summary>Anchor [width, height] factors (efficientdet; default [1,1], [1.4,0.7], [0.7,1.4]).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<float>>? AnchorRatios { get; init; }

    /// <summary>Side of an anchor of scale 1 in strides (efficientdet; default 4).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public float? AnchorScale { get; init; }

    /// <summary>How scores are made (detr: softmax; rt-detr, d-fine: sigmoid).</summary>
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

    /// <summary>Names of the graph's outputs by what they are for: <c>{"scores": "cls_pred"}</c>. Found by name and shape where absent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Outputs { get; init; }
}
