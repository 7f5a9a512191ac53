using System.Text.Json.Serialization;

namespace Detection.Inference.Preprocessing;

/// <summary>How a picture is resized to the size of the input.</summary>
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

    /// <summary>8-bit channel values, 0 to 255; mean and deviation must be 0 and 1.</summary>
    UInt8,
}

/// <summary>The input of a model. A value of channel c is <c>(value / Scale − Mean[c]) / Std[c]</c>, where value is the 8-bit channel value.</summary>
public sealed record InputSpec
{
    /// <summary>Name of the input tensor; <see langword="null"/> for the graph's first.</summary>
    public string? Name { get; init; }

    /// <summary>Width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>How a picture is resized.</summary>
    public ResizeMode Resize { get; init; } = ResizeMode.Stretch;

    /// <summary>8-bit channel value (0 to 255) of the padding, before normalisation. <see langword="null"/> means 0 after normalisation.</summary>
    public float? Padding { get; init; } = 114;

    /// <summary>Whether letterboxing may enlarge pictures smaller than the input.</summary>
    public bool Enlarge { get; init; } = true;

    /// <summary>Order of the channels.</summary>
    public ChannelOrder Channels { get; init; } = ChannelOrder.Rgb;

    /// <summary>Order of the dimensions.</summary>
    public TensorLayout Layout { get; init; } = TensorLayout.Nchw;

    /// <summary>Type of the values.</summary>
    public TensorElement Element { get; init; } = TensorElement.Float32;

    /// <summary>Divisor of 8-bit channel values, before mean and deviation: 255 for 0 to 1, 1 for 0 to 255.</summary>
    public float Scale { get; init; } = 255;

    /// <summary>Mean per channel, in the tensor's channel order.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0, 0, 0];

    /// <summary>Standard deviation per channel, in the tensor's channel order.</summary>
    public IReadOnlyList<float> Std { get; init; } = [1, 1, 1];

    /// <summary>Bytes of one picture's part of the input tensor.</summary>
    [JsonIgnore]
    public int ByteLength => checked(3 * Width * Height * Element switch
    {
        TensorElement.Float32 => 4,
        TensorElement.Float16 => 2,
        _ => 1,
    });

    /// <summary>The size in input pixels to which a picture of the given size is resized, without padding.</summary>
    /// <remarks>
    /// Letterboxes keep the aspect ratio: one side becomes that of the input, and the other is rounded down at the top left (YOLOX and EfficientDet:
    /// <c>int(w · r)</c>) and to nearest in the middle (Ultralytics: <c>round(w · r)</c>, halves to even).
    /// </remarks>
    /// <param name="pictureWidth">Width of the upright original picture in pixels.</param>
    /// <param name="pictureHeight">Height of the upright original picture in pixels.</param>
    public (int Width, int Height) Fit(int pictureWidth, int pictureHeight)
    {
        if (Resize == ResizeMode.Stretch)
        {
            return (Width, Height);
        }

        var across = (double)Width / pictureWidth;
        var down = (double)Height / pictureHeight;
        var ratio = Math.Min(across, down);
        if (ratio > 1 && !Enlarge)
        {
            return (pictureWidth, pictureHeight);
        }

        // The limiting side is exactly that of the input; 416 / w · w may be slightly less than 416.
        return (
            across <= down ? Width : Side(pictureWidth * ratio, Width),
            down <= across ? Height : Side(pictureHeight * ratio, Height));
    }

    private int Side(double exact, int most)
    {
        var rounded = Resize == ResizeMode.LetterboxCenter ? Math.Round(exact) : Math.Floor(exact);
        return Math.Clamp((int)rounded, 1, most);
    }
}
