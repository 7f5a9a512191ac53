using Detection.Contracts.Pictures;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Client;

/// <summary>
/// Whether the silos of the cluster make image keys with the secret of this process. With different secrets, every picture of this process fails on
/// the silos, and this process finds none of their results.
/// </summary>
internal sealed partial class ImageKeyComparison(ImageKeys keys, IOptions<DetectionClientOptions> options, ILogger<ImageKeyComparison> logger)
{
    /// <summary>What callers read while the secrets differ.</summary>
    public const string Fault =
        $"This server and the silos of its cluster have different settings {ImageKeyOptions.SecretSetting}, or only one of them has it. Give all the same.";

    private readonly string _clusterId = options.Value.ClusterId;
    private readonly string _own = keys.MarkOf(options.Value.ClusterId);
    private volatile bool _differs;

    /// <summary>Whether the secrets differed at the last comparison.</summary>
    public bool Differs => _differs;

    /// <summary>Compares.</summary>
    /// <param name="silos">The mark of the silos; <see langword="null"/> while Redis has none.</param>
    public void Compare(string? silos)
    {
        var differs = silos is not null && silos != _own;
        if (differs == _differs)
        {
            return;
        }

        _differs = differs;
        if (differs)
        {
            LogDiffer(_clusterId, ImageKeyOptions.SecretSetting);
        }
        else if (silos is not null)
        {
            LogSame(_clusterId, ImageKeyOptions.SecretSetting);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The silos of the cluster {Cluster} have another {Setting} than this process, or only one of them has it; requests are refused until all have the same.")]
    private partial void LogDiffer(string cluster, string setting);

    [LoggerMessage(2, LogLevel.Information, "The silos of the cluster {Cluster} have the {Setting} of this process; requests are accepted.")]
    private partial void LogSame(string cluster, string setting);
}
