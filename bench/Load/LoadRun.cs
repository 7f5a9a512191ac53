using System.Diagnostics;
using System.Net.Sockets;
using Detection.Bench.Measuring;
using HdrHistogram;

namespace Detection.Bench.Load;

/// <summary>The result of a run.</summary>
/// <param name="Seconds">Measured time.</param>
/// <param name="Latency">Of the answers with status 200, in microseconds.</param>
/// <param name="Statuses">Answers by status; 0 stands for connections that failed.</param>
/// <param name="Hits">Answers from the result cache.</param>
/// <param name="OwnSeconds">Processor time of this program.</param>
/// <param name="WatchedSeconds">Processor time of the watched processes.</param>
internal sealed record LoadOutcome(
    double Seconds, HistogramBase Latency, IReadOnlyDictionary<int, long> Statuses, long Hits, double OwnSeconds, double WatchedSeconds)
{
    public long Answered => Statuses.GetValueOrDefault(200);

    public long Others => Statuses.Values.Sum() - Answered;

    public double Rate => Answered / Seconds;

    /// <summary>A percentile in milliseconds; 0 without a value.</summary>
    public double Percentile(double percent) => Percentile(Latency, percent);

    /// <summary>A percentile in milliseconds of values in microseconds; 0 without a value.</summary>
    public static double Percentile(HistogramBase latency, double percent) =>
        latency.TotalCount == 0 ? 0 : latency.GetValueAtPercentile(percent) / 1000.0;
}

/// <summary>Callers that send requests until the time has passed.</summary>
internal sealed class LoadRun(LoadOptions options, RequestBodies bodies)
{
    /// <summary>Maximum latency of the histogram.</summary>
    private const long LongestMicroseconds = 120_000_000;

    private readonly HistogramBase _latency = HistogramFactory.With64BitBucketSize()
        .WithValuesUpTo(LongestMicroseconds).WithPrecisionOf(3).WithThreadSafeWrites().Create();

    private readonly long[] _statuses = new long[600];
    private long _hits;
    private long _sent;
    private volatile bool _measuring;

    public async Task<LoadOutcome> RunAsync()
    {
        if (options.Repeated is { } repeated)
        {
            await SendOnceAsync(repeated);
        }

        using var stop = new CancellationTokenSource();
        var pace = options.Rate is { } rate ? new Pace(rate, options.Poisson, options.Seed, stop.Token) : null;
        var callers = Enumerable.Range(0, options.Callers).Select(_ => Task.Run(() => CallAsync(pace, stop.Token))).ToList();
        await ProgressAsync("warm-up", options.Warmup);

        using var self = Process.GetCurrentProcess();
        var (own, watched) = (self.TotalProcessorTime, Watched());
        var start = Stopwatch.GetTimestamp();
        _measuring = true;
        await ProgressAsync("measuring", options.Seconds);
        _measuring = false;
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        self.Refresh();
        (own, watched) = (self.TotalProcessorTime - own, Watched() - watched);

        await stop.CancelAsync();
        await Task.WhenAll(callers);
        var statuses = _statuses.Select((count, status) => (status, count)).Where(pair => pair.count > 0).ToDictionary(pair => pair.status, pair => pair.count);
        return new LoadOutcome(seconds, _latency, statuses, _hits, own.TotalSeconds, watched);
    }

    private async Task CallAsync(Pace? pace, CancellationToken stopped)
    {
        using var connection = new HttpConnection(options.Url);
        var request = new List<ArraySegment<byte>>(2);
        while (!stopped.IsCancellationRequested)
        {
            long start;
            if (pace is null)
            {
                start = Stopwatch.GetTimestamp();
            }
            else if (!await pace.Due.WaitToReadAsync(CancellationToken.None))
            {
                return;
            }
            else if (!pace.Due.TryRead(out start))
            {
                continue;
            }

            bodies.Write(Interlocked.Increment(ref _sent), request);
            HttpAnswer answer = default;
            try
            {
                answer = await connection.AskAsync(request, stopped);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is SocketException or InvalidDataException)
            {
                // Counted as status 0. A pause, because a server that has stopped would get a million requests.
                await Task.Delay(10, CancellationToken.None);
            }

            if (_measuring)
            {
                Count(answer, Stopwatch.GetElapsedTime(start));
            }
        }
    }

    private void Count(HttpAnswer answer, TimeSpan took)
    {
        Interlocked.Increment(ref _statuses[Math.Min(answer.Status, _statuses.Length - 1)]);
        if (answer.Cache == 'h')
        {
            Interlocked.Increment(ref _hits);
        }

        if (answer.Status == 200)
        {
            _latency.RecordValue(Math.Clamp((long)took.TotalMicroseconds, 1, LongestMicroseconds));
        }
    }

    /// <summary>Adds the repeated pictures to the result cache.</summary>
    private async Task SendOnceAsync(int count)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(count, options.Callers)).Select(async _ =>
        {
            using var connection = new HttpConnection(options.Url);
            var request = new List<ArraySegment<byte>>(2);
            for (int picture; (picture = Interlocked.Increment(ref next)) < count;)
            {
                bodies.WritePost(picture, request);
                HttpAnswer answer;
                var attempts = 0;
                do
                {
                    // A server may be too slow for its deadline just after its start.
                    answer = await connection.AskAsync(request, CancellationToken.None);
                }
                while (answer.Status is 503 or 504 && ++attempts < 5);

                if (answer.Status != 200)
                {
                    throw new InvalidDataException($"A picture that is to be repeated was answered with status {answer.Status}.");
                }
            }
        }));
    }

    private async Task ProgressAsync(string phase, double seconds)
    {
        var start = Stopwatch.GetTimestamp();
        var (lastSent, lastAt) = (Volatile.Read(ref _sent), start);
        while (Stopwatch.GetElapsedTime(start).TotalSeconds is var elapsed && elapsed < seconds)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(seconds - elapsed, 0.001, 1)));
            if (!options.Quiet)
            {
                var (sent, at) = (Volatile.Read(ref _sent), Stopwatch.GetTimestamp());
                var rate = (sent - lastSent) / Stopwatch.GetElapsedTime(lastAt, at).TotalSeconds;
                (lastSent, lastAt) = (sent, at);
                var bad = _statuses.Sum() - _statuses[200];
                await Console.Error.WriteAsync(
                    $"\r{options.Name}: {phase} {Stopwatch.GetElapsedTime(start).TotalSeconds,4:0}/{seconds:0} s  {rate,8:0.0}/s"
                    + $"  p50 {LoadOutcome.Percentile(_latency, 50):0.0} ms  not 200: {bad}   ");
            }
        }

        if (!options.Quiet)
        {
            await Console.Error.WriteLineAsync();
        }
    }

    private double Watched() => options.Watched.Sum(ProcessorTime.Seconds);
}
