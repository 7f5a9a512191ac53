using System.Diagnostics;
using System.Globalization;
using Detection.Bench.Measuring;
using Detection.Testing;

namespace Detection.Bench.Compare;

/// <summary>The other programs of this folder. They run as processes, so that each has its own processor time.</summary>
internal sealed class Tools(Settings settings)
{
    /// <summary>Length of a round of load that is not measured.</summary>
    private const double WarmUpSeconds = 8;

    /// <summary>Maximum number of such rounds.</summary>
    private const int MostWarmUps = 15;

    /// <summary>Maximum processor time of the compiler in a round, in seconds, for a server that counts as compiled.</summary>
    private const double QuietSeconds = 0.1;

    private string LoadCsv => Path.Combine(settings.Output, "load.csv");

    private string RawCsv => Path.Combine(settings.Output, "raw.csv");

    /// <summary>Measures the raw limit.</summary>
    public async Task<IReadOnlyDictionary<string, string>> RawAsync(string model)
    {
        await RunAsync("Raw", ["--model", model, "--csv", RawCsv, .. Common()]);
        return CsvFile.Last(RawCsv);
    }

    /// <summary>Sends load to a server.</summary>
    /// <param name="name">Name of the run.</param>
    /// <param name="url">The server.</param>
    /// <param name="watched">Its processes.</param>
    /// <param name="more">More options.</param>
    public async Task<IReadOnlyDictionary<string, string>> LoadAsync(string name, Uri url, IEnumerable<int> watched, params string[] more)
    {
        await RunAsync("Load",
        [
            "--name", name, "--url", url.ToString(), "--watch", string.Join(',', watched),
            "--csv", LoadCsv, "--svg", Path.Combine(settings.Output, name.Replace(' ', '-') + ".svg"),
            .. Common(), .. more,
        ]);
        return CsvFile.Last(LoadCsv);
    }

    /// <summary>
    /// Load that is not measured, until the runtime has compiled the frequent code: on slow cores this takes a minute, and ten
    /// seconds of the processor.
    /// </summary>
    /// <param name="url">The server.</param>
    /// <param name="processes">Its processes.</param>
    /// <param name="more">More options of the load.</param>
    public async Task WarmUpAsync(Uri url, IReadOnlyList<int> processes, params string[] more)
    {
        for (var round = 0; round < MostWarmUps; round++)
        {
            var before = processes.ToDictionary(process => process, ProcessorTime.OfCompiler);
            await RunAsync(
                "Load",
                ["--name", "warm-up", "--url", url.ToString(), "--warmup", "0", "--seconds", Text(WarmUpSeconds), "--quiet", .. Photos(), .. more]);
            var compiling = processes.Sum(
                process => ProcessorTime.OfCompiler(process).Sum(thread => thread.Value - before[process].GetValueOrDefault(thread.Key)));
            Console.WriteLine($"  the compiler took {compiling:0.00} s");
            if (compiling < QuietSeconds)
            {
                return;
            }
        }
    }

    /// <summary>Path of a program of this folder.</summary>
    public static string Program(string name) =>
        Path.Combine(Repository.Root, "bench", name, "bin", "Release", "net10.0", $"Detection.Bench.{name}.dll");

    private string[] Common() => ["--seconds", Text(settings.Seconds), "--warmup", Text(settings.Warmup), .. Photos()];

    private string[] Photos() => settings.Photos is { } photos ? ["--photos", photos] : [];

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private async Task RunAsync(string program, IEnumerable<string> arguments)
    {
        // Its output is shown at once.
        var start = new ProcessStartInfo("dotnet", [Program(program), .. arguments]) { UseShellExecute = false };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds((3 * (settings.Seconds + settings.Warmup + WarmUpSeconds)) + 120));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} did not end.");
        }

        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with code {process.ExitCode}.");
        }
    }
}
