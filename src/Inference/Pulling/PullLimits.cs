using System.ComponentModel.DataAnnotations;

namespace Detection.Inference.Pulling;

/// <summary>Limits of pulling models: section <c>Detection:Models:Pull</c>.</summary>
public sealed class PullLimits
{
    /// <summary>Maximum number of bytes of a model with its weights, 1 to 1 TiB. Default 4 GiB.</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxBytes { get; set; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Maximum time without a byte from the server, 100 ms to 1 h. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Maximum time of a whole pull, 1 s to 1 day. Default 2 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Pause before a failed download is continued, 10 ms to 1 h; it doubles from one failure to the next, up to 5 minutes. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(2);
}
