using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Health;

/// <summary>
/// Ends the silo in order when only a new process can go on: its batchers drain, it leaves the cluster, and the program ends with
/// <see cref="ExitCode"/>, so that its supervisor starts it again.
/// </summary>
public sealed partial class SiloShutdown(IHostApplicationLifetime lifetime, IOptions<HostOptions> host, ILogger<SiloShutdown> logger)
{
    /// <summary>Exit code of a program that ended so.</summary>
    public const int ExitCode = 3;

    private int _requested;

    /// <summary>Whether the silo ends so.</summary>
    public bool IsRequested => Volatile.Read(ref _requested) != 0;

    /// <summary>Begins the end because of a device; once.</summary>
    /// <param name="device">The device and its model.</param>
    /// <param name="reason">What is wrong with it.</param>
    public void Request(string device, string reason) => Request(() => LogDevice(device, ExitCode, reason));

    /// <summary>Begins the end because of the silo itself; once.</summary>
    /// <param name="reason">What is wrong with it.</param>
    /// <param name="within">How long the stop may take at most: what the silo holds is not worth a longer wait.</param>
    public void Request(string reason, TimeSpan within) => Request(() =>
    {
        LogSilo(ExitCode, reason);
        if (host.Value.ShutdownTimeout > within)
        {
            host.Value.ShutdownTimeout = within;
        }
    });

    private void Request(Action log)
    {
        if (Interlocked.Exchange(ref _requested, 1) == 0)
        {
            log();
            lifetime.StopApplication();
        }
    }

    [LoggerMessage(1, LogLevel.Critical, "Device {Device} cannot be used by this process any more; the silo stops in order with exit code {ExitCode}: {Reason}")]
    private partial void LogDevice(string device, int exitCode, string reason);

    [LoggerMessage(2, LogLevel.Critical, "The silo stops in order with exit code {ExitCode}: {Reason}", EventName = "SiloEnds")]
    private partial void LogSilo(int exitCode, string reason);
}
