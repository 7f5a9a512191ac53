using System.Globalization;

namespace Detection.Bench.Load;

/// <summary>The options of the command line.</summary>
internal sealed record LoadOptions
{
    public const string Help = """
        Puts load on the HTTP API of a detection server and says how long the answers took.

        dotnet run -c Release --project bench/Load -- [options]

          --url URL          Address of the server. Default: http://127.0.0.1:8080
          --callers N        Callers, each with a connection of its own. Default: 32.
          --rate R           Open loop: R requests per second, sent whether or not earlier ones have been answered as long as a caller
                             is free. The time of an answer counts from the instant at which its request was due, so that waiting for
                             a free caller counts as well (no coordinated omission). Without it, closed loop: a caller sends its
                             next request when it has its answer.
          --arrivals KIND    even or poisson, with --rate. Default: even.
          --seconds S        Time that is measured. Default: 10.
          --warmup S         Time before it that is not. Default: 3.
          --pictures KIND    unique: no picture is sent twice, so that none comes from the result cache.
                             repeated:N: N pictures again and again.
                             keys:N: N pictures are sent once; then their results are read by key, with GET.
                             Default: unique.
          --keys FILE        Several callers with different API keys: a line for each, its name and its key. --callers and --rate are
                             those of each. Latency is printed for each.
          --flood N          The first of the keys floods: N callers in a closed loop instead.
          --photos DIR       JPEG photos, also in folders inside; at most 256. Default: ../shared/images or tests/pictures/jpeg.
          --model NAME       Model. Default: the server's.
          --query TEXT       More of a query, such as threshold=0.3&max=10.
          --watch PID,PID    Processes whose processor time is counted over the measured time.
          --name TEXT        Name of the run in the files. Default: run.
          --csv FILE         A row is appended.
          --svg FILE         Latency by percentile, as a picture.
          --quiet            No progress line.

        A picture is made unique by a comment in the JPEG; the pixels are those of the photo. Answers are read to their end, but of them
        only the status and the header X-Cache are looked at. Only answers with status 200 count in throughput and latency.
        """;

    public Uri Url { get; private init; } = new("http://127.0.0.1:8080");

    public int Callers { get; private init; } = 32;

    public double? Rate { get; private init; }

    public bool Poisson { get; private init; }

    /// <summary>Seed of random arrivals.</summary>
    public int Seed { get; private init; } = 1;

    public double Seconds { get; private init; } = 10;

    public double Warmup { get; private init; } = 3;

    /// <summary>Number of different pictures; <see langword="null"/> for unique ones.</summary>
    public int? Repeated { get; private init; }

    public bool ByKey { get; private init; }

    /// <summary>The callers' keys; empty for one caller without a key.</summary>
    public IReadOnlyList<(string Name, string Key)> Keys { get; private init; } = [];

    /// <summary>Number of callers with the first key, which send without pause; 0 when it is like the others.</summary>
    public int Flood { get; private init; }

    /// <summary>The key that is sent.</summary>
    public string? Key { get; private init; }

    public string? Photos { get; private init; }

    public string? Model { get; private init; }

    public string? Query { get; private init; }

    public IReadOnlyList<int> Watched { get; private init; } = [];

    public string Name { get; private init; } = "run";

    public string? Csv { get; private init; }

    public string? Svg { get; private init; }

    public bool Quiet { get; private init; }

    /// <exception cref="FormatException">An option is not valid.</exception>
    public static LoadOptions Parse(string[] args)
    {
        var options = new LoadOptions();
        for (var i = 0; i < args.Length; i++)
        {
            var option = args[i];
            if (option == "--quiet")
            {
                options = options with { Quiet = true };
                continue;
            }

            var value = i + 1 < args.Length ? args[++i] : throw new FormatException($"{option} needs a value; see --help.");
            options = option switch
            {
                "--url" => options with { Url = new Uri(value) },
                "--callers" => options with { Callers = Positive(option, value) },
                "--rate" => options with { Rate = Number(option, value) },
                "--arrivals" => options with { Poisson = value == "poisson" || (value == "even" ? false : throw Wrong(option, value)) },
                "--seconds" => options with { Seconds = Number(option, value) },
                "--warmup" => options with { Warmup = double.Parse(value, CultureInfo.InvariantCulture) },
                "--pictures" => value.Split(':') switch
                {
                    ["unique"] => options with { Repeated = null },
                    ["repeated", var count] => options with { Repeated = Positive(option, count) },
                    ["keys", var count] => options with { Repeated = Positive(option, count), ByKey = true },
                    _ => throw Wrong(option, value),
                },
                "--keys" => options with { Keys = ReadKeys(value) },
                "--flood" => options with { Flood = Positive(option, value) },
                "--photos" => options with { Photos = value },
                "--model" => options with { Model = value },
                "--query" => options with { Query = value },
                "--watch" => options with { Watched = [.. value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(id => Positive(option, id))] },
                "--name" => options with { Name = value },
                "--csv" => options with { Csv = value },
                "--svg" => options with { Svg = value },
                _ => throw new FormatException($"{option} is not an option; see --help."),
            };
        }

        return options;
    }

    /// <summary>The load of each key.</summary>
    public IReadOnlyList<LoadOptions> ForEachKey() =>
        [.. Keys.Select((key, i) => this with
        {
            Name = key.Name,
            Key = key.Key,
            Seed = i + 1,
            Callers = i == 0 && Flood > 0 ? Flood : Callers,
            Rate = i == 0 && Flood > 0 ? null : Rate,
            Quiet = Quiet || i != 1,
        })];

    private static List<(string Name, string Key)> ReadKeys(string file)
    {
        var keys = File.ReadLines(file)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(words => words.Length > 0)
            .ToList();
        return keys.Count > 0 && keys.TrueForAll(words => words.Length == 2)
            ? [.. keys.Select(words => (words[0], words[1]))]
            : throw new FormatException($"{file} is to have lines of a name and a key.");
    }

    private static int Positive(string option, string value) =>
        int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw Wrong(option, value);

    private static double Number(string option, string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw Wrong(option, value);

    private static FormatException Wrong(string option, string value) => new($"{option} {value} is not understood; see --help.");
}
