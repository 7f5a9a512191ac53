using System.Diagnostics;
using System.Globalization;
using Detection.Bench.Gpu;
using Detection.Bench.Measuring;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Cuda;
using Detection.Inference.Devices.Discovery;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Logging;

const string Help = """
    What a batch device makes of a card: full batches in a bare loop, with and without the copies to and from the card, and the same
    model through the product's device, from encoded photos to boxes; then how far its boxes are from those of the CPU.

    dotnet run -c Release -p:Accelerator=cuda --project bench/Gpu -- [options]

      --device NAME    cuda:0, cuda:1, … or cpu, to try the program itself. Default: cuda:0.
      --model FILE     ONNX file, with model.json beside it where it does not describe itself. Default: models/nanodet-g.
      --photos DIR     JPEG photos; at most 256. Default: ../shared/images or tests/pictures/jpeg.
      --batches LIST   Batch sizes of the bare loop. Default: 1,8,32.
      --seconds S      Time for each measurement. Default: 4.
      --rounds N       Number of rounds; the programs run in turn, and medians are printed. Default: 3.
      --set LINES      Settings of Detection:Cuda, such as PreferNhwc=true,MaxBatch=64.
      --csv FILE       A row is appended.
    """;
if (args.Contains("--help"))
{
    Console.WriteLine(Help);
    return 0;
}

var deviceName = Option("--device") ?? "cuda:0";
var path = Path.GetFullPath(Option("--model") ?? Path.Combine(AppContext.BaseDirectory, "models", "nanodet-g", "model.onnx"));
var photos = PhotoSet.Read(Option("--photos"));
var seconds = double.Parse(Option("--seconds") ?? "4", CultureInfo.InvariantCulture);
var rounds = int.Parse(Option("--rounds") ?? "3", CultureInfo.InvariantCulture);
int[] batches = [.. (Option("--batches") ?? "1,8,32").Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
var beside = Path.Combine(Path.GetDirectoryName(path)!, "model.json");
var source = new ModelSource(
    Path.GetFileName(Path.GetDirectoryName(path)!), "bench", path, ModelInspector.Inspect(path, File.Exists(beside) ? beside : null).Require());

using var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(console => console.SingleLine = true));
var options = new DeviceOptions { Devices = deviceName };
foreach (var line in (Option("--set") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
{
    var property = typeof(CudaOptions).GetProperty(line.Split('=')[0]) ?? throw new ArgumentException($"There is no Detection:Cuda:{line}.");
    property.SetValue(options.Cuda, Convert.ChangeType(line.Split('=')[1], property.PropertyType, CultureInfo.InvariantCulture));
}

var cpuOptions = new DeviceOptions { Devices = "cpu" };
var found = new DeviceDiscovery(options, TimeProvider.System, loggers).Open();
if (found.Devices.Count == 0)
{
    Console.Error.WriteLine(string.Join('\n', found.Problems));
    return 1;
}

await using var device = found.Devices[0];
await using var session = await device.LoadAsync(source, CancellationToken.None);
var most = batches.Max();
PictureWork[] works = [.. Enumerable.Range(0, photos.Photos.Count).Select(i => new PictureWork(photos.Photos[i], null, DateTimeOffset.MaxValue))];
Console.WriteLine($"{source.Name} on {device.Description}, {Environment.ProcessorCount} cores, {photos.Photos.Count} photos of {photos.MeanBytes / 1024:0} KB, JPEG by {PictureDecoder.JpegCodec}");

// In turn, so that other work of the machine affects all of them.
var figures = new Dictionary<string, List<double>>(StringComparer.Ordinal);
for (var round = 0; round < rounds; round++)
{
    foreach (var batch in batches)
    {
        using var loop = new BareLoop(source, deviceName, batch, photos);
        Note($"bare, batch {batch}, on the card", loop.Measure(copies: false, seconds));
        Note($"bare, batch {batch}, with copies", loop.Measure(copies: true, seconds));
    }

    Note("decoding and preprocessing alone", await DecodingAsync());
    Note($"device, batches of {most}", await ThroughDeviceAsync());
    Note("device, one picture alone, ms", await AloneAsync());
}

foreach (var (name, values) in figures)
{
    Console.WriteLine($"  {name,-36} {Median(values),10:0.00}   ({string.Join(' ', values.Select(value => $"{value:0.0}"))})");
}

Console.WriteLine($"  through the device / bare with copies: {Median(figures[$"device, batches of {most}"]) / Median(figures[$"bare, batch {most}, with copies"]):0.00}");
var agreement = await Agreement.CompareAsync(source, session, cpuOptions, works, loggers);
Console.WriteLine($"  against the CPU: {agreement}");
if (Option("--csv") is { } csv)
{
    CsvFile.Append(csv, [("model", source.Name), ("device", device.Description), .. figures.Select(figure => (figure.Key, $"{Median(figure.Value):0.00}"))]);
}

return 0;

string? Option(string option) => Array.IndexOf(args, option) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

void Note(string name, double value)
{
    if (!figures.TryGetValue(name, out var values))
    {
        figures[name] = values = [];
    }

    values.Add(value);
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

// As many concurrent batches as the device supports.
async Task<double> ThroughDeviceAsync()
{
    var done = 0;
    var start = Stopwatch.GetTimestamp();
    await Task.WhenAll(Enumerable.Range(0, session.Concurrency).Select(async lane =>
    {
        var batch = new PictureWork[most];
        for (var turn = lane; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; turn += session.Concurrency)
        {
            for (var i = 0; i < most; i++)
            {
                batch[i] = works[((turn * most) + i) % works.Length];
            }

            await session.DetectAsync(batch, Check, CancellationToken.None);
            Interlocked.Add(ref done, most);
        }
    }));
    return done / Stopwatch.GetElapsedTime(start).TotalSeconds;
}

async Task<double> AloneAsync()
{
    var times = new List<double>();
    var begin = Stopwatch.GetTimestamp();
    for (var i = 0; Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds; i++)
    {
        var start = Stopwatch.GetTimestamp();
        await session.DetectAsync([works[i % works.Length]], Check, CancellationToken.None);
        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    return Median(times);
}

async Task<double> DecodingAsync()
{
    var done = 0;
    var start = Stopwatch.GetTimestamp();
    await Task.WhenAll(Enumerable.Range(0, options.CpuWorkers).Select(worker => Task.Factory.StartNew(
        () =>
        {
            var row = new byte[source.Manifest.Input.Width * source.Manifest.Input.Height * 3 * sizeof(float)];
            for (var i = worker; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; i++)
            {
                BareLoop.Fill(source.Manifest.Input, photos.Photos[i % photos.Photos.Count], row);
                Interlocked.Increment(ref done);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default)));
    return done / Stopwatch.GetElapsedTime(start).TotalSeconds;
}

static void Check(int index, PictureOutcome outcome)
{
    if (outcome.Kind != OutcomeKind.Detected)
    {
        throw new InvalidOperationException($"Photo {index}: {outcome.Kind} {outcome.Error?.Message}");
    }
}
