namespace Detection.Inference.Pictures;

/// <summary>
/// A decoded picture, upright. Four bytes a pixel in the order red, green, blue, 255; rows follow each other without gaps. Dispose it to return the
/// buffer; not safe for concurrent disposal.
/// </summary>
public sealed class Picture : IDisposable
{
    /// <summary>Bytes of a pixel.</summary>
    public const int BytesPerPixel = 4;

    private PixelBuffer? _buffer;

    private Picture(int width, int height, int originalWidth, int originalHeight, int reduction)
    {
        Width = width;
        Height = height;
        OriginalWidth = originalWidth;
        OriginalHeight = originalHeight;
        Reduction = reduction;
        _buffer = PixelBuffer.Rent(checked((int)BytesOf(width, height, 1)));
    }

    /// <summary>Width of the buffer in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the buffer in pixels.</summary>
    public int Height { get; }

    /// <summary>Width of the upright original picture, in pixels.</summary>
    public int OriginalWidth { get; }

    /// <summary>Height of the upright original picture, in pixels.</summary>
    public int OriginalHeight { get; }

    /// <summary>
    /// Original pixels per pixel of the buffer, on each axis: 1, or 2, 4, 8 after a scaled decode. The last row and column of the
    /// buffer may then lie partly outside of the original picture.
    /// </summary>
    public int Reduction { get; }

    /// <summary>Pixels of the buffer, less than 1, to the left of the original picture: the overhang of a scaled decode after mirroring.</summary>
    internal float OverhangLeft { get; set; }

    /// <summary>The same above the original picture.</summary>
    internal float OverhangTop { get; set; }

    /// <summary>The reserved memory for decoding of this picture; returned when the picture is disposed.</summary>
    internal DecodingMemory.Share? Share { get; set; }

    /// <summary>Bytes from one row to the next.</summary>
    public int Stride => Width * BytesPerPixel;

    /// <summary>The pixels, <see cref="Stride"/> × <see cref="Height"/> bytes.</summary>
    /// <exception cref="ObjectDisposedException">The picture was disposed.</exception>
    public Span<byte> Pixels
    {
        get
        {
            ObjectDisposedException.ThrowIf(_buffer is null, this);
            return _buffer.Bytes;
        }
    }

    /// <summary>A picture with undefined pixels.</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    public static Picture Create(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        return new Picture(width, height, width, height, 1);
    }

    /// <summary>Bytes of the pixels after a decode at 1/<paramref name="reduction"/> of the original size, rounded up.</summary>
    internal static long BytesOf(int originalWidth, int originalHeight, int reduction) =>
        BytesPerPixel * (long)((originalWidth + reduction - 1) / reduction) * ((originalHeight + reduction - 1) / reduction);

    /// <summary>A picture for a decode at 1/<paramref name="reduction"/> of the original size, rounded up.</summary>
    internal static Picture CreateReduced(int originalWidth, int originalHeight, int reduction) => new(
        (originalWidth + reduction - 1) / reduction,
        (originalHeight + reduction - 1) / reduction,
        originalWidth,
        originalHeight,
        reduction);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            buffer.Dispose();
            Share?.Dispose();
        }
    }
}
