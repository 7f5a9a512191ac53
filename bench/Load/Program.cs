using Detection.Bench.Load;
using Detection.Bench.Measuring;

if (args.Contains("--help"))
{
    Console.WriteLine(LoadOptions.Help);
    return 0;
}

LoadOptions options;
try
{
    options = LoadOptions.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

var photos = PhotoSet.Read(options.Photos);
if (options.Keys.Count > 0)
{
    return await KeyTable.RunAsync(options, photos);
}

var outcome = await new LoadRun(options, new RequestBodies(photos, options)).RunAsync();
var loop = options.Rate is { } asked ? $"open loop, {asked:0.#}/s" : $"closed loop, {options.Callers} callers";
Console.WriteLine($"{options.Name}: {loop}, {outcome.Seconds:0.0} s, {photos.Photos.Count} photos, load average {ProcessorTime.LoadAverage()}");
Console.WriteLine($"  answers  {outcome.Rate:0.0}/s ({outcome.Answered}), from the cache {outcome.Hits}, not 200: {outcome.Others}"
    + string.Concat(outcome.Statuses.Where(pair => pair.Key != 200).Select(pair => $" [{pair.Key}: {pair.Value}]")));
Console.WriteLine($"  latency  p50 {outcome.Percentile(50):0.00}  p90 {outcome.Percentile(90):0.00}  p95 {outcome.Percentile(95):0.00}"
    + $"  p99 {outcome.Percentile(99):0.00}  most {outcome.Percentile(100):0.00} ms");
var answers = Math.Max(1, outcome.Answered);
Console.WriteLine($"  CPU      {1000 * outcome.OwnSeconds / answers:0.000} ms per answer in this program"
    + (options.Watched.Count > 0 ? $", {1000 * outcome.WatchedSeconds / answers:0.000} in the server" : ""));
if (options.Csv is { } csv)
{
    CsvFile.Append(csv,
    [
        ("name", options.Name),
        ("loop", options.Rate is null ? "closed" : "open"),
        ("callers", $"{options.Callers}"),
        ("rate_asked", $"{options.Rate ?? 0:0.##}"),
        ("seconds", $"{outcome.Seconds:0.00}"),
        ("answers", $"{outcome.Answered}"),
        ("others", $"{outcome.Others}"),
        ("cache_hits", $"{outcome.Hits}"),
        ("answers_per_s", $"{outcome.Rate:0.00}"),
        ("p50_ms", $"{outcome.Percentile(50):0.000}"),
        ("p90_ms", $"{outcome.Percentile(90):0.000}"),
        ("p95_ms", $"{outcome.Percentile(95):0.000}"),
        ("p99_ms", $"{outcome.Percentile(99):0.000}"),
        ("max_ms", $"{outcome.Percentile(100):0.000}"),
        ("load_cpu_s", $"{outcome.OwnSeconds:0.000}"),
        ("server_cpu_s", $"{outcome.WatchedSeconds:0.000}"),
        ("load_average", ProcessorTime.LoadAverage()),
    ]);
}

if (options.Svg is { } svg)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(svg))!);
    File.WriteAllText(svg, LatencyPlot.Draw($"{options.Name}: {loop}, {outcome.Rate:0} answers/s", outcome));
}

return outcome.Answered > 0 ? 0 : 1;
