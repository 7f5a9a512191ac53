using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Pictures;

/// <summary>What a picture may cost, checked before it is decoded.</summary>
/// <param name="MaxBytes">Most bytes of the encoded picture.</param>
/// <param name="MaxPixels">Most pixels (width × height), read from its header.</param>
/// <param name="MaxScans">Most scans of a JPEG. Encoders write 1, or about 10 for a progressive one.</param>
/// <param name="MaxCost">
/// Most that <see cref="PictureCost"/> may be. The default lets 50 megapixels pass in every form that encoders write.
/// </param>
public sealed record PictureLimits(
    [property: Range(1, long.MaxValue)] long MaxBytes = SharedDefaults.MaxPictureBytes,
    [property: Range(1, long.MaxValue)] long MaxPixels = 50_000_000,
    [property: Range(1, int.MaxValue)] int MaxScans = 100,
    [property: Range(1, int.MaxValue)] int MaxCost = 1000)
{
    /// <summary>For a picture that was decoded before.</summary>
    public static PictureLimits None { get; } = new(long.MaxValue, long.MaxValue, int.MaxValue, int.MaxValue);

    /// <summary>Refuses a picture that costs too much.</summary>
    internal void CheckCost(double cost, PictureFormat format)
    {
        if (cost > MaxCost)
        {
            throw new PictureException(
                PictureFault.Unsupported,
                $"The {format.Name()} picture costs as much to decode as {cost:0} photos of one megapixel; at most {MaxCost} are allowed.");
        }
    }
}

/// <summary>What is wrong with a picture.</summary>
public enum PictureFault
{
    /// <summary>No bytes, or not a picture of a known format.</summary>
    NotAPicture,

    /// <summary>More bytes or pixels than allowed.</summary>
    TooLarge,

    /// <summary>A known format, but of a kind that is not supported.</summary>
    Unsupported,

    /// <summary>Truncated or damaged.</summary>
    Undecodable,
}

/// <summary>A picture that cannot be used. The message is one sentence for the person who sent it.</summary>
public sealed class PictureException(PictureFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What is wrong.</summary>
    public PictureFault Fault { get; } = fault;
}
