using System.Text;

namespace Detection.Bench.Load;

/// <summary>Latency by percentile, as an SVG. The axis is stretched towards 100, to show the slow requests.</summary>
internal static class LatencyPlot
{
    private const int Width = 760;
    private const int Height = 420;
    private const int Left = 70;
    private const int Bottom = 50;
    private const int Top = 40;
    private const int Right = 20;
    private static readonly double[] Ticks = [0, 50, 90, 95, 99, 99.9];
    private static readonly double[] Steps = [1, 2, 5, 10];

    public static string Draw(string title, LoadOutcome outcome)
    {
        // Each power of ten of the distance to 100 has the same width: 0, 90, 99, 99.9, 99.99.
        const double Decades = 3.3;
        var highest = Math.Max(outcome.Percentile(100 * (1 - Math.Pow(10, -Decades))), 0.001);
        var top = Round(highest);
        var svg = new StringBuilder();
        svg.Append($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        svg.Append($"""<rect width="{Width}" height="{Height}" fill="white"/><text x="{Left}" y="22" font-size="15">{System.Net.WebUtility.HtmlEncode(title)}</text>""");
        for (var i = 0; i <= 5; i++)
        {
            var value = top * i / 5;
            svg.Append($"""<line x1="{Left}" x2="{Width - Right}" y1="{Y(value):0.0}" y2="{Y(value):0.0}" stroke="#ddd"/><text x="{Left - 6}" y="{Y(value) + 4:0.0}" text-anchor="end">{value:0.##}</text>""");
        }

        foreach (var tick in Ticks)
        {
            svg.Append($"""<line x1="{X(tick):0.0}" x2="{X(tick):0.0}" y1="{Top}" y2="{Height - Bottom}" stroke="#ddd"/><text x="{X(tick):0.0}" y="{Height - Bottom + 18}" text-anchor="middle">{tick:0.##}</text>""");
        }

        svg.Append($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 10}" text-anchor="middle">percentile</text><text x="16" y="{Height / 2}" text-anchor="middle" transform="rotate(-90 16 {Height / 2})">ms</text>""");
        svg.Append("""<polyline fill="none" stroke="#0a58ca" stroke-width="2" points=" """);
        for (var step = 0; step <= 200; step++)
        {
            var percent = 100 * (1 - Math.Pow(10, -Decades * step / 200));
            svg.Append($"{X(percent):0.0},{Y(Math.Min(outcome.Percentile(percent), top)):0.0} ");
        }

        return svg.Append(" \"/></svg>\n").ToString();

        double X(double percent) => Left + ((Width - Left - Right) * -Math.Log10(1 - (percent / 100)) / Decades);
        double Y(double value) => Height - Bottom - ((Height - Bottom - Top) * value / top);
    }

    /// <summary>The next larger 1, 2 or 5 times a power of ten.</summary>
    private static double Round(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return Steps.Select(factor => factor * power).First(round => round >= value);
    }
}
