namespace Detection.Inference.Pictures;

/// <summary>File format of an encoded picture.</summary>
public enum PictureFormat
{
    /// <summary>JPEG, grey, colour or CMYK.</summary>
    Jpeg,

    /// <summary>PNG, any depth and colour type.</summary>
    Png,

    /// <summary>WebP; the first frame of an animation.</summary>
    WebP,

    /// <summary>GIF; the first frame of an animation.</summary>
    Gif,

    /// <summary>Windows bitmap.</summary>
    Bmp,
}

/// <summary>Names of formats.</summary>
internal static class PictureFormatNames
{
    /// <summary>The name of a format, for people.</summary>
    public static string Name(this PictureFormat format) => format switch
    {
        PictureFormat.Jpeg => "JPEG",
        PictureFormat.Png => "PNG",
        PictureFormat.WebP => "WebP",
        PictureFormat.Gif => "GIF",
        _ => "BMP",
    };
}

/// <summary>The header of an encoded picture.</summary>
/// <param name="Format">Its file format.</param>
/// <param name="Width">Width in pixels of the upright picture, after its EXIF orientation.</param>
/// <param name="Height">Height in pixels of the upright picture, after its EXIF orientation.</param>
public readonly record struct PictureHeader(PictureFormat Format, int Width, int Height);
