using System.Diagnostics;
using System.Globalization;
using Detection.Bench.Measuring;
using Detection.Bench.Scale;
using Detection.Client;
using Detection.Testing;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

const string Help = """
    How the cluster grows: 1, 2, 4 and 8 batchers over several silo processes, on devices that are simulated with a fixed time per batch,
    one redis-server (or Garnet where it is not installed) and one client program, all on this machine.

    dotnet run -c Release --project bench/Scale -- [options]

      --batchers LIST  Numbers of batchers. Default: 1,2,4,8.
      --batch LIST     Most pictures in a batch, a series of runs each. Default: 4,32. A device does batch / service at best.
      --silos N        Most silo processes; batchers are spread evenly over them. Default: 4.
      --service MS     Time that a device takes for a batch. Default: 20.
      --way WAY        client: the whole way through the client library, a request grain per picture.
                       queue: items are put into the queue without request grains asking for them. Default: client.
      --seconds S      Time of each run. Default: 10.
      --warmup S       Time before it, in which the runtime compiles what runs often. Default: 20.
      --bytes N        Size of a picture; nothing decodes it. Default: 1024.
      --csv FILE       Rows are appended. Default: artifacts/bench/scale.csv.
    """;
if (args.Contains("--help"))
{
    Console.WriteLine(Help);
    return 0;
}

var service = TimeSpan.FromMilliseconds(Number("--service", 20));
if (args is ["silo", var count, ..])
{
    SimulatedSilo.Run(int.Parse(count, CultureInfo.InvariantCulture), service);
    return 0;
}

var seconds = Number("--seconds", 10);
var warmup = Number("--warmup", 20);
var mostSilos = (int)Number("--silos", 4);
var pictureBytes = Math.Max(16, (int)Number("--bytes", 1024));
var way = Option("--way") ?? "client";
var csv = Option("--csv") ?? Path.Combine(Repository.Root, "artifacts", "bench", "scale.csv");
Console.WriteLine($"{service.TotalMilliseconds:0.#} ms per batch, {pictureBytes} bytes a picture, way: {way}, {Environment.ProcessorCount} cores");
Console.WriteLine("batch  batchers  silos  pictures/s  per batcher  of the devices' best  CPU ms per picture: Redis  silos  client   cores used  load average");
foreach (var batch in Numbers("--batch", "4,32"))
{
    foreach (var batchers in Numbers("--batchers", "1,2,4,8"))
    {
        await MeasureAsync(batch, batchers);
    }
}

return 0;

async Task MeasureAsync(int batch, int batchers)
{
    await using var redis = await RedisServer.StartAsync();
    var siloCount = Math.Min(batchers, mostSilos);
    var silos = new List<ChildProcess>();
    try
    {
        for (var i = 0; i < siloCount; i++)
        {
            var devices = (batchers / siloCount) + (i < batchers % siloCount ? 1 : 0);
            silos.Add(ChildProcess.Start($"silo{i}", "dotnet",
                [typeof(Queueing).Assembly.Location, "silo", $"{devices}", "--service", $"{service.TotalMilliseconds}"],
                new Dictionary<string, string?>
                {
                    [DetectionSettings.Redis] = redis.ConnectionString,
                    [DetectionSettings.SiloPort] = $"{LoopbackPorts.Next()}",
                    [DetectionSettings.GatewayPort] = $"{LoopbackPorts.Next()}",
                    ["Detection__Silo__Name"] = $"silo{i}",
                    ["Detection__Batching__MaxBatch"] = $"{batch}",
                    ["Detection__Queue__Capacity"] = "1000000",
                }));
        }

        var services = new ServiceCollection();
        services.AddDetectionClient(options =>
        {
            options.Redis = redis.ConnectionString;
            options.Deadline = TimeSpan.FromSeconds(30);
        });
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IDetectionClient>();
        await Eventually.Async(
            async limit => (await provider.GetRequiredService<IClusterReports>().GetSilosAsync(limit)).Sum(silo => silo.Batchers.Count) >= batchers, TimeSpan.FromSeconds(90), $"{batchers} batchers run");
        await using var connection = await redis.ConnectAsync();

        // Enough callers for two full batches of each device and as many waiting pictures, at most the default queue capacity per batcher.
        using var stop = new CancellationTokenSource();
        var depth = 3 * batch * batchers;
        var asking = new Asking(client, depth, pictureBytes);
        var model = (await client.GetModelsAsync()).Single(model => model.Name == "nanodet-g").Id;
        var queueing = new Queueing(connection, model, depth, pictureBytes);
        var load = way == "queue" ? queueing.RunAsync(stop.Token) : asking.RunAsync(stop.Token);
        await Task.Delay(TimeSpan.FromSeconds(warmup));

        var before = await ReadAsync();
        var start = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var after = await ReadAsync();
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await stop.CancelAsync();
        await load;

        var done = after.Done - before.Done;
        var rate = done / took;
        var best = batch / service.TotalSeconds * batchers;
        var (redisMs, siloMs, clientMs) = (Each(after.Redis - before.Redis), Each(after.Silos - before.Silos), Each(after.Client - before.Client));
        var cores = (redisMs + siloMs + clientMs) * done / 1000 / took;
        Console.WriteLine(
            $"{batch,5}  {batchers,8}  {siloCount,5}  {rate,10:0.0}  {rate / batchers,11:0.0}  {rate / best,20:0.000}  {redisMs,25:0.000}  {siloMs,5:0.000}  {clientMs,6:0.000}  {cores,11:0.00}  {ProcessorTime.LoadAverage(),12}"
            + (asking.Failed > 0 ? $"  not answered: {asking.Failed}" : ""));
        CsvFile.Append(csv,
        [
            ("way", way), ("batch", $"{batch}"), ("batchers", $"{batchers}"), ("silos", $"{siloCount}"), ("service_ms", $"{service.TotalMilliseconds}"),
            ("pictures_per_s", $"{rate:0.0}"), ("per_batcher", $"{rate / batchers:0.0}"), ("of_best", $"{rate / best:0.0000}"),
            ("redis_cpu_ms", $"{redisMs:0.0000}"), ("silo_cpu_ms", $"{siloMs:0.0000}"), ("client_cpu_ms", $"{clientMs:0.0000}"),
            ("cores_used", $"{cores:0.00}"), ("failed", $"{asking.Failed}"), ("load_average", ProcessorTime.LoadAverage()),
        ]);

        double Each(double cpu) => done == 0 ? 0 : 1000 * cpu / done;

        async Task<(long Done, double Redis, double Silos, double Client)> ReadAsync()
        {
            using var self = Process.GetCurrentProcess();
            return (
                way == "queue" ? await queueing.DoneAsync() : asking.Answered,
                redis.IsReal ? await RedisSecondsAsync(connection) : 0,
                silos.Sum(silo => ProcessorTime.Seconds(silo.Id)),
                self.TotalProcessorTime.TotalSeconds);
        }
    }
    finally
    {
        foreach (var silo in silos)
        {
            if (silo.HasExited)
            {
                Console.Error.WriteLine(silo.LogTail());
            }

            await silo.DisposeAsync();
        }
    }
}

// The numbers of redis-server: executed commands, and bytes that its threads read and write.
static async Task<double> RedisSecondsAsync(ConnectionMultiplexer connection)
{
    var section = (await connection.GetServer(connection.GetEndPoints()[0]).InfoAsync("cpu")).SelectMany(group => group)
        .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
    return double.Parse(section["used_cpu_sys"], CultureInfo.InvariantCulture) + double.Parse(section["used_cpu_user"], CultureInfo.InvariantCulture);
}

string? Option(string option) => Array.IndexOf(args, option) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

double Number(string option, double otherwise) => Option(option) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

IEnumerable<int> Numbers(string option, string otherwise) =>
    (Option(option) ?? otherwise).Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture));
