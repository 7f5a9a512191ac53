using System.Diagnostics;
using System.Globalization;
using Detection.Bench.Measuring;
using Detection.Testing;

namespace Detection.Bench.Compare;

/// <summary>The other programs of this folder, run as processes so that each has its own processor time.</summary>
internal sealed class Tools(Settings settings)
{
    /// <summary>Long enough for the runtime to have compiled what runs often, twice over.</summary>
    private const double WarmUpSeconds = 15;

    private string LoadCsv => Path.Combine(settings.Output, "load.csv");

    private string RawCsv => Path.Combine(settings.Output, "raw.csv");

    /// <summary>Measures the raw limit.</summary>
    public async Task<IReadOnlyDictionary<string, string>> RawAsync(string model)
    {
        await RunAsync("Raw", ["--model", model, "--csv", RawCsv, .. Common()]);
        return CsvFile.Last(RawCsv);
    }

    /// <summary>Puts load on a server.</summary>
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

    /// <summary>Load that is not measured, on a server that has just been started.</summary>
    public Task WarmUpAsync(Uri url, string model) => RunAsync(
        "Load", ["--name", "warm-up", "--url", url.ToString(), "--model", model, "--warmup", "0", "--seconds", Text(WarmUpSeconds)]);

    /// <summary>Path of a program of this folder.</summary>
    public static string Program(string name) =>
        Path.Combine(Repository.Root, "bench", name, "bin", "Release", "net10.0", $"Detection.Bench.{name}.dll");

    private string[] Common()
    {
        string[] times = ["--seconds", Text(settings.Seconds), "--warmup", Text(settings.Warmup)];
        return settings.Photos is { } photos ? [.. times, "--photos", photos] : times;
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private async Task RunAsync(string program, IEnumerable<string> arguments)
    {
        // Its lines are shown as they come.
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
