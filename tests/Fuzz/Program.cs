// Thousands of odd requests to the real front end, over separate connections: mutated pictures in every form in which one
// can be sent, and faults around them. Each request is a check: it gets a success or a problem document, never a 500.
// The checks at the end look at the process: it runs, its answers are right, and it has released its resources.
//   dotnet run --project tests/Fuzz                               10,000 requests
//   dotnet run --project tests/Fuzz -- --count 500 --seed 7       fewer; the same seed makes the same requests
//   dotnet run --project tests/Fuzz -- --minutes 2                as many as fit into the time
//   dotnet run --project tests/Fuzz -- --seed 7 --only 1234       one of them again; prints request and answer
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Detection.Contracts.Storage;
using Detection.Fuzz;
using Detection.Testing;

string? Argument(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
int? Number(string name) => Argument(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

const int Senders = 8;
const int WarmUp = 500;
const int FilledPictures = 400;

var limit = Argument("--minutes") is { } minutes ? TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)) : Timeout.InfiniteTimeSpan;
var count = Number("--count") ?? (limit == Timeout.InfiniteTimeSpan ? 10_000 : int.MaxValue);
var seed = Number("--seed") ?? Random.Shared.Next();
var failures = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "fuzz"));
Console.WriteLine($"seed {seed}");

await using var host = new OddHost();
var redisPort = LoopbackPorts.Next();
var requests = new Requests(seed, redisPort, host.Url);
await using var subject = await Subject.StartAsync(redisPort, host.Url);

int passed = 0, failed = 0;
var classes = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
var slowest = new ConcurrentQueue<(TimeSpan Time, int Number, string Kind)>();

if (Number("--only") is { } only)
{
    await SendAsync(only, show: true);
    return Finish();
}

var known = new KnownPicture(subject.Http);
var clock = Stopwatch.StartNew();
var end = Timeout.InfiniteTimeSpan;
await known.LearnAsync();
await RunAsync(0, Math.Min(WarmUp, count));
await known.FillAsync(FilledPictures);
await subject.Keys.QuietAsync();
await subject.CollectAsync();
var before = (Bytes: subject.ResidentBytes, subject.Descriptors, Temporary: subject.TemporaryFiles);
Console.WriteLine($"after {WarmUp} requests to warm up: {Mebibytes(before.Bytes)}, {before.Descriptors} descriptors, {clock.Elapsed.TotalSeconds:F0} s");

end = limit == Timeout.InfiniteTimeSpan ? limit : clock.Elapsed + limit;
await RunAsync(WarmUp, count);
Console.WriteLine($"{passed + failed} requests in {clock.Elapsed.TotalSeconds:F0} s");
foreach (var (name, times) in classes.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
{
    Console.WriteLine($"      {times,6}  {name}");
}

foreach (var (time, number, kind) in slowest.OrderByDescending(static one => one.Time).Take(5))
{
    Console.WriteLine($"      slowest: {time.TotalSeconds:F1} s, number {number} ({kind})");
}

await CheckAsync("the process that was started is alive and ready", async () =>
    subject.IsAlive && await subject.IsReadyAsync() ? null : "it is not");
await CheckAsync("nothing waits or runs", async () =>
{
    await subject.Keys.QuietAsync();
    return null;
});
await CheckAsync("a good picture has the boxes that it had", known.DifferenceAsync);
await CheckAsync("all pictures expire", async () =>
{
    // The known picture was just sent again.
    await subject.WithoutPicturesAsync(PictureStore.KnownExpiry > Subject.PictureExpiry ? PictureStore.KnownExpiry : Subject.PictureExpiry);
    return null;
});
await CheckAsync("no key stays for ever", async () =>
    await subject.Keys.ImmortalAsync() is { Count: > 0 } immortal ? string.Join(", ", immortal.Take(10)) : null);
await CheckAsync("no temporary file is left", () => Task.FromResult(
    subject.TemporaryFiles.Except(before.Temporary).ToList() is { Count: > 0 } left ? string.Join(", ", left.Take(10)) : null));

// The numbers of connections to Redis and of runtime files vary; resources left by 10,000 requests would be seen.
await CheckAsync("descriptors are closed", async () =>
{
    await Eventually.Async(() => subject.Descriptors <= before.Descriptors + 16, Eventually.Soon, "descriptors are back");
    return null;
});

// An allocator does not return all memory at once. Memory held by requests would be gigabytes.
var most = before.Bytes + before.Bytes / 4 + (64L << 20);
await CheckAsync($"memory is back at no more than a quarter and 64 MiB above that before, {Mebibytes(most)}", async () =>
{
    await Eventually.Async(
        async () =>
        {
            await subject.CollectAsync();
            return subject.ResidentBytes <= most;
        },
        TimeSpan.FromSeconds(60),
        "memory is back");
    return null;
});
Console.WriteLine($"at the end: {Mebibytes(subject.ResidentBytes)}, {subject.Descriptors} descriptors");
await CheckAsync("no error was logged", () => Task.FromResult(
    subject.Errors is { Count: > 0 } errors ? string.Join('\n', errors.Take(10)) : null));
await CheckAsync("it stops gracefully", async () => await subject.StopAsync() is var code and not 0 ? $"exit code {code}" : null);
return Finish();

async Task RunAsync(int from, int to)
{
    var next = from - 1;
    await Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => Task.Run(async () =>
    {
        while ((end == Timeout.InfiniteTimeSpan || clock.Elapsed < end) && subject.IsAlive && Interlocked.Increment(ref next) is var number && number < to)
        {
            await SendAsync(number, show: false);
        }
    })));
}

async Task SendAsync(int number, bool show)
{
    var request = requests.Make(number);
    var started = Stopwatch.GetTimestamp();
    var answer = await Connection.AskAsync(subject.Url, request);
    var (name, fault) = AnswerRules.Judge(request, answer);
    slowest.Enqueue((Stopwatch.GetElapsedTime(started), number, request.Kind));
    classes.AddOrUpdate(name, 1, static (_, times) => times + 1);
    if (show)
    {
        Console.WriteLine($"{Encoding.Latin1.GetString(request.Bytes.AsSpan(0, Math.Min(request.Bytes.Length, 2000)))}\n--- {answer.Status} {answer.Fault}\n{Encoding.UTF8.GetString(answer.Body.AsSpan(0, Math.Min(answer.Body.Length, 2000)))}");
    }

    if (fault is null)
    {
        Interlocked.Increment(ref passed);
        return;
    }

    Interlocked.Increment(ref failed);
    var file = Path.Combine(failures.FullName, $"{seed}-{number}.http");
    await File.WriteAllBytesAsync(file, request.Bytes);
    Console.WriteLine($"FAIL  number {number} ({request.Kind}): {fault}\n      sent: {file}\n      again: --seed {seed} --only {number}");
}

async Task CheckAsync(string what, Func<Task<string?>> check)
{
    string? fault;
    try
    {
        fault = await check();
    }
    catch (Exception e) when (e is TimeoutException or InvalidOperationException or HttpRequestException or IOException)
    {
        fault = e.Message;
    }

    Console.WriteLine($"{(fault is null ? "pass" : "FAIL")}  {what}{(fault is null ? "" : ": " + fault)}");
    if (fault is null)
    {
        passed++;
    }
    else
    {
        failed++;
    }
}

int Finish()
{
    var log = Path.Combine(failures.FullName, $"{seed}.log");
    File.WriteAllText(log, subject.Log);
    Console.WriteLine($"log of the front end: {log}");
    Console.WriteLine($"{passed} passed, {failed} failed");
    return failed == 0 && passed > 0 ? 0 : 1;
}

static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F0} MiB");
