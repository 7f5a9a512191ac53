using System.Collections.Concurrent;
using System.Diagnostics;
using Detection.Testing;

namespace Detection.Soak;

/// <summary>An answer that differs from the answer alone.</summary>
/// <param name="Case">The request.</param>
/// <param name="Number">The number that made its picture unique.</param>
/// <param name="At">Time since the start of the run.</param>
/// <param name="Expected">The answer alone.</param>
/// <param name="Found">The answer in the run.</param>
internal sealed record Difference(string Case, int Number, TimeSpan At, Reading Expected, Reading Found);

/// <summary>Many callers that send requests at random, at the same time, and compare every answer with the one to the same request alone.</summary>
internal sealed class Run(Stand stand, Cases cases, SoakHost host, IReadOnlyDictionary<string, Reading> references, int seed)
{
    private const int Callers = 16;

    private readonly ConcurrentBag<Difference> _differences = [];
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Case[] _weighted = [.. cases.All.SelectMany(static one => Enumerable.Repeat(one, one.Weight))];
    private int _number = seed % 1_000_000 * 1000;
    private int _answers;
    private int _refusals;

    /// <summary>Number of compared answers.</summary>
    public int Answers => _answers;

    /// <summary>Number of requests that were refused and sent again.</summary>
    public int Refusals => _refusals;

    /// <summary>The differences.</summary>
    public IReadOnlyCollection<Difference> Differences => _differences;

    /// <summary>Number of answers by status.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Gets the answer to each request alone, one after another.</summary>
    public static async Task<IReadOnlyDictionary<string, Reading>> ReferencesAsync(Stand quiet, Cases cases, SoakHost host)
    {
        var references = new Dictionary<string, Reading>(StringComparer.Ordinal);
        var sender = new Sender(quiet.Frontends[0].Http, null, host);
        foreach (var one in cases.All.OrderBy(static one => !one.Name.Contains("photo", StringComparison.Ordinal) && !one.Name.Contains("model", StringComparison.Ordinal)))
        {
            // Valid requests first: if an invalid one changes later answers, the run must show it. Not the number 0, whose picture is shorter.
            references[one.Name] = await sender.InsistAsync(() => one.AskAsync(sender, 1, CancellationToken.None));
        }

        return references;
    }

    /// <summary>Sends requests until the time has passed, and waits for the last answers.</summary>
    public Task AskAsync(Stopwatch clock, TimeSpan end, TimeSpan sampling, Action<TimeSpan> sample) =>
        Task.WhenAll([.. Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller, clock, end))), SampleAsync(clock, end, sampling, sample)]);

    private static async Task SampleAsync(Stopwatch clock, TimeSpan end, TimeSpan sampling, Action<TimeSpan> sample)
    {
        while (clock.Elapsed < end)
        {
            sample(clock.Elapsed);
            await Task.Delay(sampling);
        }
    }

    private async Task CallAsync(int caller, Stopwatch clock, TimeSpan end)
    {
        var random = new Random((seed * 31) + caller);
        var (frontend, key) = stand.Of(caller);
        var sender = new Sender(frontend.Http, key, host);
        while (clock.Elapsed < end && !frontend.Process.HasExited)
        {
            var one = random.Of(_weighted);
            var number = Interlocked.Increment(ref _number);
            var found = await AskAsync(sender, one, number);
            var expected = references[one.Name];
            Interlocked.Increment(ref _answers);
            _counts.AddOrUpdate($"{found.Status}", 1, static (_, count) => count + 1);
            if (found != expected && !one.IsAlsoRight(found, expected))
            {
                _differences.Add(new Difference(one.Name, number, clock.Elapsed, expected, found));
            }
        }

        Interlocked.Add(ref _refusals, sender.Refusals);
    }

    private static async Task<Reading> AskAsync(Sender sender, Case one, int number)
    {
        try
        {
            return await sender.InsistAsync(() => one.AskAsync(sender, number, CancellationToken.None));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            return new Reading(0, "", $"{e.GetType().Name}: {e.Message}");
        }
    }
}
