using System.Globalization;
using System.Text.RegularExpressions;

namespace Detection.Contracts.Settings;

/// <summary>
/// Durations as settings and documents write them: a number with a unit, <c>4s</c>, <c>500 ms</c>, <c>2m</c>, <c>1 h</c>, <c>7 days</c>, or the .NET
/// format, <c>00:00:04</c>.
/// </summary>
internal static partial class Duration
{
    private static readonly (string Unit, TimeSpan Length)[] Units =
        [("day", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("min", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)), ("ms", TimeSpan.FromMilliseconds(1))];

    /// <summary>Reads a duration. A number without a unit is not a duration, except 0.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        text = text.Trim();
        duration = TimeSpan.Zero;
        if (text == "0")
        {
            return true;
        }

        // TimeSpan.Parse alone takes 4 for four days and 25:00:00 for 25 days.
        return NumberWithUnit().Match(text) is { Success: true } match
            ? TryMultiply(double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture), LengthOf(match.Groups["unit"].Value), out duration)
            : Clock().IsMatch(text) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration);
    }

    /// <summary>Writes a duration in the largest unit of which it is a multiple.</summary>
    public static string ToText(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
        {
            return "0";
        }

        var (unit, length) = Units.FirstOrDefault(unit => duration.Ticks % unit.Length.Ticks == 0, Units[^1]);
        var count = duration / length;
        return string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(unit == "day" && count > 1 ? "s" : "")}");
    }

    private static bool TryMultiply(double number, TimeSpan unit, out TimeSpan duration)
    {
        var ticks = number * unit.Ticks;
        var fits = ticks < long.MaxValue;
        duration = fits ? TimeSpan.FromTicks((long)Math.Round(ticks)) : TimeSpan.Zero;
        return fits;
    }

    private static TimeSpan LengthOf(string unit) => unit.ToLowerInvariant() switch
    {
        "ms" => TimeSpan.FromMilliseconds(1),
        "s" => TimeSpan.FromSeconds(1),
        "m" or "min" => TimeSpan.FromMinutes(1),
        "h" => TimeSpan.FromHours(1),
        _ => TimeSpan.FromDays(1),
    };

    [GeneratedRegex(@"^(?<number>[0-9]{1,12}(\.[0-9]{1,6})?) ?(?<unit>ms|s|m|min|h|d|day|days)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex NumberWithUnit();

    [GeneratedRegex(@"^([0-9]{1,8}\.)?([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,7})?)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Clock();
}
