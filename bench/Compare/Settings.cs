using System.Globalization;

namespace Detection.Bench.Compare;

/// <summary>The options of the command line.</summary>
internal sealed record Settings(int Rounds, double Seconds, double Warmup, string? Photos, string Output, bool Cluster, bool Yolox)
{
    public const string Help = """
        The raw limit of this machine and the whole server, alternately, on one machine and in one go; then the table of ratios.

        bench/run.sh [options]

          --rounds N     Rounds. The table holds medians. Default: 3.
          --seconds S    Time of each measurement; there are about 20 in a round. Default: 10.
          --warmup S     Time before each. Default: 3.
          --photos DIR   JPEG photos. Default: ../shared/images or tests/pictures/jpeg.
          --output DIR   Where the CSV and SVG files go. Default: artifacts/bench.
          --no-cluster   Only the one-process server, not redis-server + silo + front end.
          --no-yolox     Only NanoDet-g; YOLOX-Nano is measured where ../shared/models has it.

        The load generator runs on the cores of the server. What it takes of them is measured and stands in the table.
        """;

    /// <exception cref="FormatException">An option is not valid.</exception>
    public static Settings Parse(string[] args, string root)
    {
        var settings = new Settings(3, 10, 3, null, Path.Combine(root, "artifacts", "bench"), Cluster: true, Yolox: true);
        for (var i = 0; i < args.Length; i++)
        {
            settings = args[i] switch
            {
                "--rounds" => settings with { Rounds = int.Parse(args[++i], CultureInfo.InvariantCulture) },
                "--seconds" => settings with { Seconds = double.Parse(args[++i], CultureInfo.InvariantCulture) },
                "--warmup" => settings with { Warmup = double.Parse(args[++i], CultureInfo.InvariantCulture) },
                "--photos" => settings with { Photos = args[++i] },
                "--output" => settings with { Output = Path.GetFullPath(args[++i]) },
                "--no-cluster" => settings with { Cluster = false },
                "--no-yolox" => settings with { Yolox = false },
                _ => throw new FormatException($"{args[i]} is not an option; see --help."),
            };
        }

        return settings;
    }
}
