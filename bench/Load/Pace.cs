using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Detection.Bench.Load;

/// <summary>Says when requests are due: one after the other for callers that wait for their turn, by one thread that sleeps in between.</summary>
internal sealed partial class Pace
{
    private readonly Channel<long> _due = Channel.CreateUnbounded<long>(new() { SingleWriter = true });
    private readonly Thread _thread;

    /// <param name="rate">Requests per second.</param>
    /// <param name="poisson">Whether the gaps are exponentially distributed, as of callers who know nothing of each other; else all are the same.</param>
    /// <param name="seed">Those with the same have the same arrivals.</param>
    /// <param name="stopped">Ends it.</param>
    public Pace(double rate, bool poisson, int seed, CancellationToken stopped)
    {
        _thread = new Thread(() => Run(rate, poisson, seed, stopped)) { IsBackground = true, Name = "pace" };
        _thread.Start();
    }

    /// <summary>Instants (<see cref="Stopwatch"/> timestamps) at which requests are due; each is read once, never before it has come.</summary>
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

    /// <summary>Thread.Sleep knows milliseconds only, and is late by up to one.</summary>
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
