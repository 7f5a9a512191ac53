using System.ComponentModel.DataAnnotations;
using Detection.Grains.Health;

namespace Detection.Grains.Membership;

/// <summary>What becomes of a silo that cannot reach Redis while another silo of its cluster can: section <c>Detection:CutOff</c>.</summary>
public sealed class CutOffOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:CutOff";

    /// <summary>
    /// Whether the silo then stops in order with exit code <see cref="SiloShutdown.ExitCode"/>, so that its supervisor starts it again and the
    /// others take its share meanwhile. Otherwise it stays, and refuses that share until it reaches Redis.
    /// </summary>
    public bool EndSilo { get; set; } = true;

    /// <summary>
    /// How long Redis must have been out of reach of the silo, and all that time within reach of another. Longer than a silo may be
    /// slower than another to find a new master. 5 seconds to 1 hour.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan After { get; set; } = TimeSpan.FromSeconds(15);
}
