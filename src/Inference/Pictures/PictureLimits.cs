namespace Detection.Inference.Pictures;

/// <summary>What a picture may cost, checked before it is decoded.</summary>
/// <param name="MaxBytes">Most bytes of the encoded picture.</param>
/// <param name="MaxPixels">Most pixels (width × height), read from its header.</param>
public sealed record PictureLimits(long MaxBytes = 20 * 1024 * 1024, long MaxPixels = 50_000_000);

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
