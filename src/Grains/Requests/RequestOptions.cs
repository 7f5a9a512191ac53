using System.ComponentModel.DataAnnotations;

namespace Detection.Grains.Requests;

/// <summary>Request grains: section <c>Detection:Requests</c>.</summary>
public sealed class RequestOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Requests";

    /// <summary>How long a request grain stays in memory after its last use.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan IdleAge { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the failure of an asynchronous request can be read.</summary>
    [Range(typeof(TimeSpan), "00:02:00", "365.00:00:00")]
    public TimeSpan FailureExpiry { get; set; } = TimeSpan.FromMinutes(10);
}
