// Real processes and real failures. Every scenario runs under a steady load of unique pictures. At the end it checks that each accepted picture
// was answered, that each result was published once, and that every key in Redis has an expiry.
//   dotnet run --project tests/Chaos                          every scenario once
//   dotnet run --project tests/Chaos -- --scenario kill-all   one of them
//   dotnet run --project tests/Chaos -- --minutes 30 [--seed N]   then random ones until the time has passed
//   --verbose also shows the numbers of waiting and running pictures, every second
using System.Globalization;
using Detection.Chaos;
using Detection.Testing;

string? Argument(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

var minutes = double.Parse(Argument("--minutes") ?? "0", CultureInfo.InvariantCulture);
var seed = int.Parse(Argument("--seed") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
var random = new Random(seed);
var end = DateTime.UtcNow + TimeSpan.FromMinutes(minutes);
Console.WriteLine($"seed {seed}");

var picture = random.Next(1_000_000) * 1000;
var outcomes = new List<Outcome>();
var chosen = Argument("--scenario") is { } only ? Scenario.All.Where(scenario => scenario.Name == only) : Scenario.All;
foreach (var scenario in chosen)
{
    await RunAsync(scenario);
}

while (DateTime.UtcNow < end)
{
    await RunAsync(Scenario.All[random.Next(Scenario.All.Count)]);
}

Console.WriteLine($"{outcomes.Count(outcome => outcome.Passed)} passed, {outcomes.Count(outcome => !outcome.Passed)} failed");
return outcomes.Count > 0 && outcomes.All(outcome => outcome.Passed) ? 0 : 1;

async Task RunAsync(Scenario scenario)
{
    Console.WriteLine($"      {scenario.Name}: {scenario.What} ...");
    var settings = new Dictionary<string, string?> { ["Detection__CpuWorkers"] = "1" };
    await using var cluster = await DetectionCluster.StartAsync(await scenario.StartRedisAsync(), silos: scenario.IsOfSickness ? 1 : 2, frontends: 1, settings);
    if (scenario.IsOfSickness)
    {
        await SickSilo.Start(cluster).ReadyAsync();
    }

    await cluster.AddSilo(new Dictionary<string, string?> { ["Detection__Devices"] = "none" }).ReadyAsync();
    await using var audit = await Audit.StartAsync(cluster.Deployment);

    var load = new SteadyLoad(cluster.Frontends, picture, scenario.PictureBytes, scenario.IsHalfAsynchronous);
    var whole = int.MaxValue;
    string? failure = null;
    IReadOnlyList<Ending> endings;
    IReadOnlyList<Ending> blind = [];
    IReadOnlyList<string> immortal = [];
    IReadOnlyDictionary<string, int> published = new Dictionary<string, int>();
    try
    {
        var steady = load.RunAsync(scenario.Rate, TimeSpan.FromSeconds(4));
        await steady;
        load.Burst(scenario.Burst);
        steady = load.RunAsync(scenario.Rate, TimeSpan.FromSeconds(12));
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100, 900)));
        var happening = scenario.HappenAsync(cluster, random);
        await steady;
        while (!happening.IsCompleted)
        {
            await load.RunAsync(scenario.Rate, TimeSpan.FromSeconds(1));
        }

        await happening;
        whole = load.NextPicture;
        load.Burst(10);
        endings = await load.FinishAsync();
        blind = scenario.IsOfSickness ? await load.BlindAsync(endings) : [];
        await audit.Keys.QuietAsync();
        published = await audit.PublishedAsync();
        foreach (var process in cluster.Frontends.Concat(cluster.Silos))
        {
            await process.StopAsync();
        }

        immortal = await audit.Keys.ImmortalAsync();
    }
    catch (Exception e) when (e is TimeoutException or InvalidOperationException or ConditionHopelessException)
    {
        failure = e.Message;
        endings = await load.FinishAsync();
    }

    picture = load.NextPicture;
    var refused = endings.Where(ending => ending.Status is 429 or 503).ToList();
    var answered = endings.Where(ending => ending.Status == 200).ToList();
    var lost = endings.Except(refused).Except(answered).ToList();

    // While Redis is away, requests are refused. After the recovery none is refused.
    if (refused.Find(ending => scenario.Redis == RedisFate.Stays || ending.Number >= whole) is { } wrongly)
    {
        failure ??= $"refused: {wrongly.Detail}";
    }

    // Results of a device that finds nothing are published until the test picture runs. After the device serves again, no such result is published.
    if (blind.Any(ending => ending.Number >= whole))
    {
        failure ??= "answered without boxes once the device was well again";
    }

    var twice = published.Values.Count(count => count > 1);
    var never = scenario.Redis is RedisFate.LosesData or RedisFate.LosesLastWrites ? 0 : answered.Count(ending => !published.ContainsKey(ending.ImageKey));
    var latencies = answered.Select(ending => ending.Latency).Order().ToList();
    var outcome = new Outcome(
        scenario.Name, endings.Count, refused.Count, answered.Count, answered.Count(ending => ending.Latency > TimeSpan.FromSeconds(10)), lost.Count, twice, never, blind.Count, immortal,
        latencies.Count > 0 ? latencies[latencies.Count / 2] : default, latencies.Count > 0 ? latencies[^1] : default, failure);
    outcomes.Add(outcome);
    Console.WriteLine(outcome);
    foreach (var ending in lost.Take(3))
    {
        Console.WriteLine($"      lost: {ending.ImageKey} {ending.Status} after {ending.Latency.TotalSeconds:F1} s: {ending.Detail}");
    }

    if (!outcome.Passed || args.Contains("--verbose"))
    {
        foreach (var second in audit.Timeline)
        {
            Console.WriteLine($"      {second}");
        }
    }

    if (!outcome.Passed)
    {
        foreach (var key in immortal.Take(5))
        {
            Console.WriteLine($"      without expiry: {key}");
        }

        foreach (var process in cluster.Silos.Concat(cluster.Frontends))
        {
            Console.WriteLine($"--- {process.Name}\n{process.Process.LogTail(600)}");
        }
    }
}
