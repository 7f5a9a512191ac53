using Detection.Bench.Measuring;

namespace Detection.Bench.Load;

/// <summary>The latencies of several callers with different API keys.</summary>
internal static class KeyTable
{
    public static async Task<int> RunAsync(LoadOptions options, PhotoSet photos)
    {
        var parties = options.ForEachKey();
        var outcomes = await Task.WhenAll(parties.Select(party => new LoadRun(party, new RequestBodies(photos, party)).RunAsync()));

        Console.WriteLine($"{options.Name}: {parties.Count} keys, {outcomes[0].Seconds:0.0} s, load average {ProcessorTime.LoadAverage()}");
        Console.WriteLine($"  {"key",-12}{"asks",-22}{"200/s",8}{"429",8}{"503",7}{"other",7}{"p50 ms",10}{"p95 ms",10}{"p99 ms",10}{"most ms",10}");
        foreach (var (party, outcome) in parties.Zip(outcomes))
        {
            var (busy, full) = (outcome.Statuses.GetValueOrDefault(429), outcome.Statuses.GetValueOrDefault(503));
            var asks = party.Rate is { } rate ? $"{rate:0.##}/s{(party.Poisson ? ", poisson" : "")}" : $"{party.Callers} without pause";
            Console.WriteLine($"  {party.Name,-12}{asks,-22}{outcome.Rate,8:0.0}{busy,8}{full,7}{outcome.Others - busy - full,7}"
                + $"{outcome.Percentile(50),10:0.0}{outcome.Percentile(95),10:0.0}{outcome.Percentile(99),10:0.0}{outcome.Percentile(100),10:0.0}");
            if (options.Csv is { } csv)
            {
                CsvFile.Append(csv,
                [
                    ("name", options.Name),
                    ("key", party.Name),
                    ("rate_asked", $"{party.Rate ?? 0:0.##}"),
                    ("seconds", $"{outcome.Seconds:0.00}"),
                    ("answers", $"{outcome.Answered}"),
                    ("status_429", $"{busy}"),
                    ("status_503", $"{full}"),
                    ("others", $"{outcome.Others - busy - full}"),
                    ("p50_ms", $"{outcome.Percentile(50):0.000}"),
                    ("p95_ms", $"{outcome.Percentile(95):0.000}"),
                    ("p99_ms", $"{outcome.Percentile(99):0.000}"),
                    ("max_ms", $"{outcome.Percentile(100):0.000}"),
                ]);
            }
        }

        var calm = outcomes.Skip(options.Flood > 0 ? 1 : 0).ToList();
        Console.WriteLine($"  median of the {calm.Count} calm ones: p50 {Median(50):0.0}  p95 {Median(95):0.0}  p99 {Median(99):0.0} ms,"
            + $" answered {calm.Sum(outcome => outcome.Answered)}, not 200: {calm.Sum(outcome => outcome.Others)}");
        return outcomes.All(outcome => outcome.Answered > 0) ? 0 : 1;

        double Median(double percent)
        {
            var sorted = calm.Select(outcome => outcome.Percentile(percent)).Order().ToList();
            return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }
}
