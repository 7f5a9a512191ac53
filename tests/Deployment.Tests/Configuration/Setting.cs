using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Configuration;

/// <summary>One setting.</summary>
/// <param name="Key">Its key, with colons as in <c>appsettings.json</c>. An entry of a list has the number 0; an entry with a name has <c>NAME</c>.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Default">Its default; null when it has none, or one that depends on the machine.</param>
/// <param name="Source">The member that it is bound to, for messages.</param>
internal sealed partial record Setting(string Key, Type Type, object? Default, string Source)
{
    private static readonly (string Unit, TimeSpan Length)[] Units =
        [("day", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("min", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)), ("ms", TimeSpan.FromMilliseconds(1))];

    private static readonly (string Unit, long Size)[] Sizes = [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10)];

    /// <summary>The default in the form of the documents.</summary>
    public string DefaultText => Default switch
    {
        null => "(in words)",
        "" => "none",
        string text when Path.IsPathRooted(text) => $"`{Path.GetRelativePath(AppContext.BaseDirectory, text)}` beside the program",
        string text => $"`{text}`",
        bool flag => flag ? "true" : "false",
        TimeSpan time => Text(time),
        Enum name => $"`{name}`",
        IEnumerable list => string.Join(" ", list.Cast<object>()) is { Length: > 0 } items ? $"`{items}`" : "none",
        _ => Convert.ToString(Default, CultureInfo.InvariantCulture)!,
    };

    /// <summary>Whether a default in a document is right.</summary>
    public bool IsDefault(string text) => text == DefaultText || Default switch
    {
        null => text.Length > 0,
        int number => IsNumber(text, number),
        long number => IsNumber(text, number),
        TimeSpan time => TimeForm().Match(text) is { Success: true } match
            && double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * Units.First(unit => unit.Unit == match.Groups[2].Value).Length == time,
        _ => false,
    };

    private static bool IsNumber(string text, long number) =>
        (text == "cores" && number == Environment.ProcessorCount)
        || Sizes.Any(size => number % size.Size == 0 && text == string.Create(CultureInfo.InvariantCulture, $"{number / size.Size} {size.Unit}"));

    private static string Text(TimeSpan time)
    {
        if (time == TimeSpan.Zero)
        {
            return "0";
        }

        var (unit, length) = Units.First(unit => time.Ticks % unit.Length.Ticks == 0);
        var count = time.Ticks / length.Ticks;
        return string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(unit == "day" && count > 1 ? "s" : "")}");
    }

    [GeneratedRegex("^([0-9.]+) (day|h|min|s|ms)s?$")]
    private static partial Regex TimeForm();
}
