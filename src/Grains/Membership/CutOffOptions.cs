using System.ComponentModel.DataAnnotations;
using Detection.Grains.Health;

namespace Detection.Grains.Membership;

/// <summary>What a silo does when it cannot reach Redis while another silo of its cluster can: section <c>Detection:CutOff</c>.</summary>
public sealed class CutOffOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:CutOff";

    /// <summary>
    /// Whether the silo stops gracefully with exit code <see cref="SiloShutdown.ExitCode"/>, so that its supervisor restarts it and the other
    /// silos take over its requests. Otherwise it stays, and the requests that it owns are refused until it reaches Redis.
    /// </summary>
    public bool EndSilo { get; set; } = true;

    /// <summary>
    /// How long Redis must be unreachable for this silo and, all that time, reachable for another one. After a failover silos find the new
    /// master at different times; set this longer than the difference. 5 seconds to 1 hour.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan After { get; set; } = TimeSpan.FromSeconds(15);
}
