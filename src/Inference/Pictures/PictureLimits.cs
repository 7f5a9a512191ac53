using System.ComponentModel.DataAnnotations;
using Detection.Objects;

namespace Detection.Inference.Pictures;

/// <summary>Limits of a picture. They are checked before it is decoded.</summary>
/// <param name="MaxBytes">Maximum number of bytes of the encoded picture.</param>
/// <param name="MaxPixels">Maximum number of pixels (width × height), from its header.</param>
/// <param name="MaxScans">Maximum number of scans of a JPEG. Encoders write 1, or about 10 for a progressive JPEG.</param>
/// <param name="MaxCost">
/// Maximum <see cref="PictureCost"/>. The default allows 50 megapixels in every form that encoders write.
/// </param>
public sealed record PictureLimits(
    [property: Range(1, long.MaxValue)] long MaxBytes = SharedDefaults.MaxPictureBytes,
    [property: Range(1, long.MaxValue)] long MaxPixels = 50_000_000,
    [property: Range(1, int.MaxValue)] int MaxScans = 100,
    [property: Range(1, int.MaxValue)] int MaxCost = 1000)
{
    /// <summary>No limits, for a picture that was decoded before.</summary>
    public static PictureLimits None { get; } = new(long.MaxValue, long.MaxValue, int.MaxValue, int.MaxValue);

    /// <summary>Refuses a picture that costs too much.</summary>
    internal void CheckCost(double cost, PictureFormat format)
    {
        if (cost > MaxCost)
        {
            throw new PictureException(
                FailureReason.Unsupported,
                $"The {format.Name()} picture costs as much to decode as {cost:0} photos of one megapixel; at most {MaxCost} are allowed.");
        }
    }
}

/// <summary>A picture that cannot be used. Callers see the message.</summary>
public sealed class PictureException(FailureReason reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What is wrong.</summary>
    public FailureReason Reason { get; } = reason;
}
