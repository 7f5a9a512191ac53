namespace Detection.Inference.Preprocessing;

/// <summary>How a picture is brought to the size of the input.</summary>
public enum ResizeMode
{
    /// <summary>Both axes stretched to the input's size.</summary>
    Stretch,

    /// <summary>Scaled to fit, in the middle, the rest filled with <see cref="InputSpec.Padding"/>.</summary>
    LetterboxCenter,

    /// <summary>Scaled to fit, at the top left, the rest filled with <see cref="InputSpec.Padding"/>.</summary>
    LetterboxTopLeft,
}

/// <summary>Order of the colour channels in the input tensor.</summary>
public enum ChannelOrder
{
    /// <summary>Red, green, blue.</summary>
    Rgb,

    /// <summary>Blue, green, red.</summary>
    Bgr,
}

/// <summary>Order of the dimensions of the input tensor.</summary>
public enum TensorLayout
{
    /// <summary>[batch, channel, y, x].</summary>
    Nchw,

    /// <summary>[batch, y, x, channel].</summary>
    Nhwc,
}

/// <summary>Type of the values of the input tensor.</summary>
public enum TensorElement
{
    /// <summary>32-bit floating point.</summary>
    Float32,

    /// <summary>16-bit floating point.</summary>
    Float16,

    /// <summary>Grey levels 0 to 255; mean and deviation must be 0 and 1.</summary>
    UInt8,
}

/// <summary>
/// The input of a model. A value of channel c is <c>(grey / Scale − Mean[c]) / Std[c]</c>, grey being 0 to 255.
/// </summary>
public sealed record InputSpec
{
    /// <summary>Name of the input tensor; <see langword="null"/> for the graph's first.</summary>
    public string? Name { get; init; }

    /// <summary>Width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>How a picture is brought to that size.</summary>
    public ResizeMode Resize { get; init; } = ResizeMode.Stretch;

    /// <summary>Grey level (0 to 255) of the padding, before normalisation. <see langword="null"/> pads with 0 after it.</summary>
    public float? Padding { get; init; } = 114;

    /// <summary>Whether letterboxing may enlarge pictures smaller than the input.</summary>
    public bool Enlarge { get; init; } = true;

    /// <summary>Order of the channels.</summary>
    public ChannelOrder Channels { get; init; } = ChannelOrder.Rgb;

    /// <summary>Order of the dimensions.</summary>
    public TensorLayout Layout { get; init; } = TensorLayout.Nchw;

    /// <summary>Type of the values.</summary>
    public TensorElement Element { get; init; } = TensorElement.Float32;

    /// <summary>What grey levels are divided by first: 255 for 0 to 1, 1 for 0 to 255.</summary>
    public float Scale { get; init; } = 255;

    /// <summary>Mean per channel, in the tensor's channel order.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0, 0, 0];

    /// <summary>Standard deviation per channel, in the tensor's channel order.</summary>
    public IReadOnlyList<float> Std { get; init; } = [1, 1, 1];
}

/// <summary>Where a picture lies in an input tensor: <c>input = picture · Scale + Offset</c> on each axis.</summary>
/// <param name="ScaleX">Input pixels per picture pixel, across.</param>
/// <param name="ScaleY">Input pixels per picture pixel, down.</param>
/// <param name="OffsetX">Left padding in input pixels.</param>
/// <param name="OffsetY">Top padding in input pixels.</param>
/// <param name="PictureWidth">Width of the upright original picture.</param>
/// <param name="PictureHeight">Height of the upright original picture.</param>
public readonly record struct InputGeometry(
    float ScaleX,
    float ScaleY,
    float OffsetX,
    float OffsetY,
    int PictureWidth,
    int PictureHeight);
