using System.ComponentModel.DataAnnotations;

namespace Detection.Grains.Health;

/// <summary>What happens to a silo whose device is broken.</summary>
public enum BrokenDevice
{
    /// <summary>The silo stays in the cluster without the device and retries it at intervals.</summary>
    StayInCluster,

    /// <summary>The silo stops gracefully with exit code <see cref="SiloShutdown.ExitCode"/>, so that its supervisor restarts it.</summary>
    EndSilo,
}

/// <summary>How faulty devices are detected and treated: section <c>Detection:DeviceHealth</c>.</summary>
public sealed class DeviceHealthOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:DeviceHealth";

    /// <summary>After this many errors of a device without a success between them, it claims no more pictures and its model is reloaded.</summary>
    [Range(1, 100)]
    public int MaxErrors { get; set; } = 3;

    /// <summary>How often a test picture runs on each device and model, to check that its boxes are still found.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Time limit of the test picture; a device that takes longer hangs.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a broken device rests before a retry. The time doubles with every failed attempt.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest rest between two retries.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What happens to a silo whose device fails even after its model was reloaded.</summary>
    public BrokenDevice WhenBroken { get; set; } = BrokenDevice.StayInCluster;
}
