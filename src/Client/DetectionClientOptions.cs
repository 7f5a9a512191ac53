using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>Settings of the client: section <c>Detection:Client</c>, and the connection strings <c>redis</c> and <c>pictures</c>.</summary>
public sealed class DetectionClientOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Client";

    /// <summary>StackExchange.Redis connection string of the cluster's Redis.</summary>
    public string Redis { get; set; } = "";

    /// <summary>
    /// Connection string of the picture memory (connection string <c>pictures</c>), for a process that joins an embedded cluster. Every other cluster
    /// keeps its pictures in its Redis.
    /// </summary>
    public string? PictureMemory { get; set; }

    /// <summary>Id of the cluster, the same as that of its silos; <c>Detection:ClusterId</c> overrides it.</summary>
    [Required, RegularExpression(Contracts.Storage.ClusterId.Pattern, ErrorMessage = Contracts.Storage.ClusterId.Rule)]
    public string ClusterId { get; set; } = Contracts.Storage.ClusterId.Default;

    /// <summary>Model of requests that name none.</summary>
    [Required]
    public string DefaultModel { get; set; } = SharedDefaults.Model;

    /// <summary>Deadline of requests that name none. 100 ms to 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Maximum size of a picture, in bytes.</summary>
    [Range(1, int.MaxValue)]
    public int MaxPictureBytes { get; set; } = SharedDefaults.MaxPictureBytes;

    /// <summary>
    /// Minimum level of log messages about the connection to the cluster (categories <c>Orleans</c> and <c>Microsoft</c>);
    /// <see cref="LogLevel.None"/> for no messages. The filters of the application's log apply too. Default: <see cref="LogLevel.Error"/>.
    /// </summary>
    [EnumDataType(typeof(LogLevel))]
    public LogLevel ConnectionLogLevel { get; set; } = LogLevel.Error;
}
