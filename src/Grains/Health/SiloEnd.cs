using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Health;

/// <summary>
/// Ends the silo in order when only a new process can go on: its batchers drain, it leaves the cluster, and the program ends with
/// <see cref="ExitCode"/>, so that its supervisor starts it again.
/// </summary>
public sealed partial class SiloEnd(IHostApplicationLifetime lifetime, ILogger<SiloEnd> logger)
{
    /// <summary>Exit code of a program that ended because of a device.</summary>
    public const int ExitCode = 3;

    private int _requested;

    /// <summary>Whether the silo ends because of a device.</summary>
    public bool IsRequested => Volatile.Read(ref _requested) != 0;

    /// <summary>Begins the end; once.</summary>
    /// <param name="device">The device and its model.</param>
    /// <param name="reason">What is wrong with it.</param>
    public void Request(string device, string reason)
    {
        if (Interlocked.Exchange(ref _requested, 1) == 0)
        {
            LogEnds(device, ExitCode, reason);
            lifetime.StopApplication();
        }
    }

    [LoggerMessage(1, LogLevel.Critical, "Device {Device} cannot be used by this process any more; the silo stops in order with exit code {ExitCode}: {Reason}")]
    private partial void LogEnds(string device, int exitCode, string reason);
}
