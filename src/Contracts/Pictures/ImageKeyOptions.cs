using System.ComponentModel.DataAnnotations;

namespace Detection.Contracts.Pictures;

/// <summary>How image keys are made: section <c>Detection:ImageKeys</c>. It must be the same on every silo and client of a cluster.</summary>
public sealed class ImageKeyOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:ImageKeys";

    /// <summary>Name of <see cref="Secret"/> as a setting.</summary>
    public const string SecretSetting = $"{Section}:{nameof(Secret)}";

    /// <summary>
    /// When it is empty, an image key is the SHA-256 of the picture, and callers share results. With a secret of 32 to 1000 characters each
    /// caller gets its own image keys: a caller cannot read another caller's results and pictures, or learn that they exist. The same picture
    /// of two callers is then processed twice.
    /// </summary>
    [RegularExpression(".{32,1000}", ErrorMessage = "The setting '{0}' must have 32 to 1000 characters, or be empty.")]
    public string Secret { get; set; } = "";
}
