// A long run of all requests at once, compared with the same requests alone. At the start each request is sent once, one after another, to a
// process without other load. Then sixteen callers send all of them at random while models are added and removed. Every answer is compared with
// the first one; only times and names of pictures may differ. At the end memory, descriptors and threads must be as at the start.
//   dotnet run --project tests/Soak -- --minutes 60            an hour, half of it against a cluster and half against one process
//   dotnet run --project tests/Soak -- --minutes 5 --seed 7    shorter; the same seed gives the same requests
//   --mode cluster | alone                                     one of the two
//   --models still                                             without models that are added and removed
using System.Diagnostics;
using System.Globalization;
using Detection.Soak;
using Detection.Testing;

string? Argument(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

var limit = TimeSpan.FromMinutes(double.Parse(Argument("--minutes") ?? "60", CultureInfo.InvariantCulture));
var seed = Argument("--seed") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : Random.Shared.Next();
string[] modes = Argument("--mode") is { } mode ? [mode] : ["cluster", "alone"];
Console.WriteLine($"seed {seed}");

int passed = 0, failed = 0;
using var traffic = new ModelTraffic();
var cases = new Cases(seed, traffic.Staying, Stand.Secret);
await using var host = new SoakHost(cases.Pictures);
var references = await LearnAsync();
foreach (var one in modes)
{
    await RunAsync(one, limit / modes.Length);
}

Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 && passed > 0 ? 0 : 1;

async Task<IReadOnlyDictionary<string, Reading>> LearnAsync()
{
    var clock = Stopwatch.StartNew();
    await using var quiet = await Stand.StartAloneAsync(traffic.Path, host.Url);
    var learned = await Run.ReferencesAsync(quiet, cases, host);
    Console.WriteLine($"{learned.Count} requests made alone in {clock.Elapsed.TotalSeconds:F0} s: {string.Join(", ", learned.Values.CountBy(static reading => reading.Status).OrderBy(static pair => pair.Key).Select(static pair => $"{pair.Value} × {pair.Key}"))}");
    Check("alone no request fails within the server", learned.Where(static pair => pair.Value.Status is 500 or 502 or 504 && !IsOfTheOtherSide(pair)).Select(static pair => $"{pair.Key}: {pair.Value}"));
    Check("alone every good photo has an answer", learned.Where(static pair => pair.Key.StartsWith("photo", StringComparison.Ordinal) && pair.Value.Status != 200).Select(static pair => $"{pair.Key}: {pair.Value}"));
    return learned;
}

async Task RunAsync(string mode, TimeSpan time)
{
    Console.WriteLine($"=== {mode}, {time.TotalMinutes:F1} minutes");
    await using var stand = mode == "alone" ? await Stand.StartAloneAsync(traffic.Path, host.Url) : await Stand.StartClusterAsync(traffic.Path, host.Url);
    var ids = stand.Processes.ToDictionary(static process => process.Name, static process => process.Process.Id);
    if (stand.RedisProcess is { } redis)
    {
        ids["redis"] = redis;
    }

    var watch = new Watch(ids);
    var run = new Run(stand, cases, host, references, seed);
    var clock = Stopwatch.StartNew();
    using var over = new CancellationTokenSource();
    var models = Argument("--models") == "still" ? Task.CompletedTask : traffic.RunAsync(new Random(seed), over.Token);
    await run.AskAsync(clock, time, time / 100 < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : time / 100, watch.Sample);
    await over.CancelAsync();
    await models;

    Console.WriteLine($"{run.Answers} answers, {run.Refusals} refused for a while; {string.Join(", ", run.Counts.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"{pair.Value} × {pair.Key}"))}; models came and went {traffic.Events.Count} times");
    Check($"{mode}: every process lives", stand.Processes.Where(static process => process.Process.HasExited).Select(static process => $"{process.Name} has ended\n{process.Process.LogTail(40)}"));
    Check($"{mode}: every answer is that to the same request alone", Describe(run.Differences));

    // Redis fills until the first pictures expire.
    var filled = TimeSpan.FromSeconds(95);
    var warm = time / 3 > filled ? time / 3 : time * 0.6 < filled ? time * 0.6 : filled;
    foreach (var (process, what, fault) in watch.Compare(warm, time))
    {
        Console.WriteLine($"      {process}: {what}; memory over the run {watch.Trend(process, time, windows: 8)} MiB");
        Check($"{mode}: {process} holds no more at the end than at the beginning", fault is null ? [] : [$"{fault}: {what}"]);
    }

    Check($"{mode}: no exception went unhandled", stand.Processes.SelectMany(static process => process.Process.Log.Split('\n')
        .Where(static line => line.Contains("Unhandled exception", StringComparison.Ordinal)).Select(line => $"{process.Name}: {line}")));
    foreach (var (line, count) in stand.Processes.SelectMany(static process => Complaints(process.Process.Log)).CountBy(static line => line).OrderByDescending(static pair => pair.Value).Take(12))
    {
        Console.WriteLine($"      logged {count} times: {line}");
    }

    if (stand.RedisKeys is { } keys)
    {
        await CheckAsync($"{mode}: nothing waits or runs", async () =>
        {
            await keys.QuietAsync();
            return [];
        });
        await CheckAsync($"{mode}: no key stays for ever", async () => await keys.ImmortalAsync());
    }
}

// An address that does not answer, and a graph with values out of range: the answer is the same whenever they are requested.
static bool IsOfTheOtherSide(KeyValuePair<string, Reading> pair) =>
    pair.Key.StartsWith("URL", StringComparison.Ordinal) || pair.Value.Content.Contains("in its manifest", StringComparison.Ordinal);

// By request, so that each fault is shown once.
IEnumerable<string> Describe(IReadOnlyCollection<Difference> differences)
{
    foreach (var group in differences.GroupBy(static one => one.Case).OrderByDescending(static group => group.Count()))
    {
        var first = group.OrderBy(static one => one.At).First();
        yield return $"{group.Key}: {group.Count()} times, first after {first.At.TotalSeconds:F0} s with number {first.Number}\n        alone: {first.Expected}\n        now:   {first.Found}";
    }
}

static IEnumerable<string> Complaints(string log)
{
    var lines = log.Split('\n');
    for (var i = 0; i + 1 < lines.Length; i++)
    {
        if (lines[i].Contains(" fail: ", StringComparison.Ordinal) || lines[i].Contains(" crit: ", StringComparison.Ordinal))
        {
            var message = lines[i + 1].Trim();
            yield return $"{lines[i][(lines[i].IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim()} {(message.Length > 160 ? message[..160] : message)}";
        }
    }
}

async Task CheckAsync(string what, Func<Task<IReadOnlyList<string>>> faults)
{
    try
    {
        Check(what, [.. await faults()]);
    }
    catch (TimeoutException e)
    {
        Check(what, [e.Message]);
    }
}

void Check(string what, IEnumerable<string> faults)
{
    string[] found = [.. faults.Take(30)];
    if (found.Length == 0)
    {
        passed++;
        Console.WriteLine($"pass  {what}");
        return;
    }

    failed++;
    Console.WriteLine($"FAIL  {what}");
    foreach (var fault in found)
    {
        Console.WriteLine($"      {fault}");
    }
}
