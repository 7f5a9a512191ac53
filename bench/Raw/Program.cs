using System.Diagnostics;
using System.Globalization;
using Detection.Bench.Measuring;
using Detection.Bench.Raw;
using Detection.Inference.Inspection;
using Detection.Inference.Pictures;
using Microsoft.ML.OnnxRuntime;

const string Help = """
    The raw limit of this machine: photos from memory through decoding, preprocessing, one run each and the reading of boxes, on one
    thread per core, with no server around. Then one thread alone, for the latency of a single picture.

    dotnet run -c Release --project bench/Raw -- [options]

      --model FILE     ONNX file, with model.json beside it where it does not describe itself. Default: models/nanodet-g.
      --photos DIR     JPEG photos; at most 256. Default: ../shared/images or tests/pictures/jpeg.
      --workers N      Threads. Default: one per core.
      --seconds S      Time for each of the two measurements. Default: 10.
      --warmup S       Time before each. Default: 2.
      --csv FILE       A row is appended.
    """;
if (args.Contains("--help"))
{
    Console.WriteLine(Help);
    return 0;
}

var path = Option("--model") ?? Path.Combine(AppContext.BaseDirectory, "models", "nanodet-g", "model.onnx");
var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "model.json");
var manifest = ModelInspector.Inspect(path, File.Exists(beside) ? beside : null).Require();
var name = Path.GetFileNameWithoutExtension(path) is var file and not "model" ? file : Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path)))!;
var photos = PhotoSet.Read(Option("--photos"));
var count = int.Parse(Option("--workers") ?? Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
var seconds = double.Parse(Option("--seconds") ?? "10", CultureInfo.InvariantCulture);
var warmup = double.Parse(Option("--warmup") ?? "2", CultureInfo.InvariantCulture);

using var sessionOptions = RawWorker.CreateOptions(manifest.Input);
using var session = new InferenceSession(path, sessionOptions);

var loadAverage = ProcessorTime.LoadAverage();
Measure(count, warmup);
using var self = Process.GetCurrentProcess();
var processor = self.TotalProcessorTime;
var (took, all) = Measure(count, seconds);
self.Refresh();
processor = self.TotalProcessorTime - processor;
var rate = all.Count / took;
Measure(1, warmup);
var single = Measure(1, seconds).Latencies;

var cpu = processor.TotalMilliseconds / all.Count;
Console.WriteLine($"{name}: {photos.Photos.Count} photos of {photos.MeanBytes / 1024:0} KB on average, JPEG by {PictureDecoder.JpegCodec}, load average {loadAverage}");
Console.WriteLine($"  {count} workers: {rate:0.0} pictures/s, {cpu:0.00} ms of CPU each");
Console.WriteLine($"  alone: p50 {Percentile(50):0.00}  p95 {Percentile(95):0.00}  p99 {Percentile(99):0.00} ms");
if (Option("--csv") is { } csv)
{
    CsvFile.Append(csv,
    [
        ("name", name),
        ("workers", $"{count}"),
        ("codec", PictureDecoder.JpegCodec),
        ("pictures_per_s", $"{rate:0.00}"),
        ("cpu_ms", $"{cpu:0.000}"),
        ("p50_ms", $"{Percentile(50):0.000}"),
        ("p95_ms", $"{Percentile(95):0.000}"),
        ("p99_ms", $"{Percentile(99):0.000}"),
        ("load_average", loadAverage),
    ]);
}

return 0;

string? Option(string option) => Array.IndexOf(args, option) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

double Percentile(double percent) => single[Math.Min(single.Count - 1, (int)(single.Count * percent / 100))];

// Each worker takes the next picture. Returns the total time, and the time of each picture in ms, sorted.
(double Seconds, List<double> Latencies) Measure(int workers, double limit)
{
    var next = -1;
    var latencies = new List<double>[workers];
    var start = Stopwatch.GetTimestamp();
    var threads = Enumerable.Range(0, workers).Select(i => new Thread(() =>
    {
        using var worker = new RawWorker(session, manifest);
        var mine = latencies[i] = [];
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < limit)
        {
            var photo = photos.Photos[(int)((uint)Interlocked.Increment(ref next) % (uint)photos.Photos.Count)];
            var begun = Stopwatch.GetTimestamp();
            worker.Detect(photo);
            mine.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
    })).ToList();
    threads.ForEach(thread => thread.Start());
    threads.ForEach(thread => thread.Join());
    var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
    List<double> sorted = [.. latencies.SelectMany(times => times).Order()];
    return (elapsed, sorted);
}
