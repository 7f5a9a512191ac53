using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Detection.Hosting;

/// <summary>How many files and connections this process may have open (<c>ulimit -n</c>). The runtime raises the soft limit to the hard one.</summary>
public static class OpenFileLimit
{
    /// <summary>Files that a program of the cluster needs for itself: about 400 at rest, then models, webhooks and pictures that it fetches.</summary>
    public const int OwnFiles = 640;

    private const int MinConnections = 16;
    private const int Minimum = 512;

    /// <summary>The limit; <see cref="long.MaxValue"/> where there is none, or none that can be read (outside of Linux).</summary>
    public static long Value { get; } = Read();

    /// <summary>How many connections of callers the limit leaves, so that they never take the files that the process needs itself.</summary>
    public static long Connections => ConnectionsWithin(Value);

    /// <summary>As <see cref="Connections"/>, for another limit.</summary>
    /// <param name="limit">Most files that are open at once.</param>
    public static long ConnectionsWithin(long limit) => Math.Max(limit - OwnFiles, MinConnections);

    /// <summary>Refuses a start that would fail later on, while it loads its assemblies or with its first callers.</summary>
    /// <exception cref="ValidationException">The limit is too low.</exception>
    internal static void Require()
    {
        if (Value < Minimum)
        {
            throw new ValidationException($"This process may have only {Value} files and connections open. Raise the limit (ulimit -n) to 1024 or more.");
        }
    }

    /// <summary>Reads the limit from the text of <c>/proc/PID/limits</c>: name, soft limit, hard limit, unit.</summary>
    /// <param name="lines">Its lines.</param>
    public static long Parse(IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        const string Name = "Max open files";
        var line = lines.FirstOrDefault(text => text.StartsWith(Name, StringComparison.Ordinal));
        var soft = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : long.MaxValue;
    }

    private static long Read()
    {
        const string Limits = "/proc/self/limits";
        return File.Exists(Limits) ? Parse(File.ReadLines(Limits)) : long.MaxValue;
    }
}
