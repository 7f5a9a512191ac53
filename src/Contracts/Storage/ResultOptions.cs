using System.ComponentModel.DataAnnotations;

namespace Detection.Contracts.Storage;

/// <summary>The result cache: section <c>Detection:Results</c>.</summary>
public sealed class ResultOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Results";

    /// <summary>How long a result can be read again.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Expiry { get; set; } = TimeSpan.FromMinutes(10);
}
