using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Detection.Hosting;

/// <summary>
/// How many files and connections this process may have open (<c>ulimit -n</c>). The .NET runtime raises the soft limit to the hard limit.
/// </summary>
public static class OpenFileLimit
{
    /// <summary>Files that a program of the cluster needs for itself: about 400 when idle, then models, webhooks and fetched pictures.</summary>
    public const int OwnFiles = 640;

    private const int MinConnections = 16;
    private const int Minimum = 512;

    /// <summary>The limit; <see cref="long.MaxValue"/> where there is none or it cannot be read (outside Linux).</summary>
    public static long Value { get; } = Read();

    /// <summary>Number of connections of callers that the limit allows, so that they do not use the files that the process needs itself.</summary>
    public static long Connections => ConnectionsWithin(Value);

    /// <summary>As <see cref="Connections"/>, for another limit.</summary>
    /// <param name="limit">Maximum number of open files.</param>
    public static long ConnectionsWithin(long limit) => Math.Max(limit - OwnFiles, MinConnections);

    /// <summary>Refuses a start that would fail later, while the program loads its assemblies or serves its first callers.</summary>
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
