using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Detection.Bench.Load;

/// <summary>Decides when requests are due. One thread sleeps between them; callers wait in turn.</summary>
internal sealed partial class Pace
{
    private readonly Channel<long> _due = Channel.CreateUnbounded<long>(new() { SingleWriter = true });
    private readonly Thread _thread;

    /// <param name="rate">Requests per second.</param>
    /// <param name="poisson">Whether the gaps are exponentially distributed, as for independent callers; otherwise all are equal.</param>
    /// <param name="seed">The same seed has the same arrivals.</param>
    /// <param name="stopped">Stops it.</param>
    public Pace(double rate, bool poisson, int seed, CancellationToken stopped)
    {
        _thread = new Thread(() => Run(rate, poisson, seed, stopped)) { IsBackground = true, Name = "pace" };
        _thread.Start();
    }

    /// <summary>The times (<see cref="Stopwatch"/> timestamps) at which requests are due. Each is returned once, not before its time.</summary>
    public ChannelReader<long> Due => _due.Reader;

    private void Run(double rate, bool poisson, int seed, CancellationToken stopped)
    {
        // The same arrivals in each run.
        var random = new Random(seed);
        double due = Stopwatch.GetTimestamp();
        while (!stopped.IsCancellationRequested)
        {
            Sleep(TimeSpan.FromSeconds((due - Stopwatch.GetTimestamp()) / Stopwatch.Frequency));
            _due.Writer.TryWrite((long)due);
#pragma warning disable CA5394 // Arrivals, not secrets.
            due += Stopwatch.Frequency / rate * (poisson ? -Math.Log(1 - random.NextDouble()) : 1);
#pragma warning restore CA5394
        }

        _due.Writer.Complete();
    }

    /// <summary>Thread.Sleep has a resolution of milliseconds, and is up to one late.</summary>
    private static void Sleep(TimeSpan span)
    {
        if (span <= TimeSpan.Zero)
        {
            return;
        }

        if (OperatingSystem.IsLinux())
        {
            var time = new TimeSpec { Seconds = (long)span.TotalSeconds, Nanoseconds = span.Ticks % TimeSpan.TicksPerSecond * 100 };
            NanoSleep(time, 0);
        }
        else
        {
            Thread.Sleep(span);
        }
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint rest);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
