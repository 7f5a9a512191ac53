using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Health;

/// <summary>
/// Stops the silo gracefully when only a new process can continue: its batchers drain, it leaves the cluster, and the program ends with
/// <see cref="ExitCode"/>, so that its supervisor restarts it.
/// </summary>
public sealed partial class SiloShutdown(IHostApplicationLifetime lifetime, IOptions<HostOptions> host, ILogger<SiloShutdown> logger)
{
    /// <summary>Exit code of a program that stopped for this reason.</summary>
    public const int ExitCode = 3;

    private int _requested;

    /// <summary>Whether the silo stops for this reason.</summary>
    public bool IsRequested => Volatile.Read(ref _requested) != 0;

    /// <summary>Stops the silo because of a device. Only the first call has an effect.</summary>
    /// <param name="device">The device and its model.</param>
    /// <param name="reason">The fault.</param>
    public void Request(string device, string reason) => Request(() => LogDevice(device, ExitCode, reason));

    /// <summary>Stops the silo because of the silo itself. Only the first call has an effect.</summary>
    /// <param name="reason">The fault.</param>
    /// <param name="within">Time limit of the stop: the work of the silo does not justify a longer wait.</param>
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

    [LoggerMessage(1, LogLevel.Critical, "Device {Device} cannot be used by this process any more; the silo stops gracefully with exit code {ExitCode}: {Reason}")]
    private partial void LogDevice(string device, int exitCode, string reason);

    [LoggerMessage(2, LogLevel.Critical, "The silo stops gracefully with exit code {ExitCode}: {Reason}", EventName = "SiloEnds")]
    private partial void LogSilo(int exitCode, string reason);
}
