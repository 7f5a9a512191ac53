using System.Globalization;

namespace Detection.Bench.Measuring;

/// <summary>Processor time of other processes, from Linux.</summary>
public static class ProcessorTime
{
    // USER_HZ is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>User and system time of a process since its start, in seconds; 0 when it has ended or this is not Linux.</summary>
    public static double Seconds(int process)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{process}/stat"));
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>
    /// Processor time in seconds of each thread of a process that recompiles frequent methods, by the thread's id. Such a thread ends
    /// after some time without work. Empty when the process has ended, is not .NET, or this is not Linux.
    /// </summary>
    public static IReadOnlyDictionary<string, double> OfCompiler(int process)
    {
        var threads = new Dictionary<string, double>(StringComparer.Ordinal);
        try
        {
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task"))
            {
                // Linux keeps 15 characters of ".NET Tiered Compilation Worker".
                if (File.ReadAllText(Path.Combine(thread, "comm")).StartsWith(".NET Tiered", StringComparison.Ordinal))
                {
                    threads[Path.GetFileName(thread)] = Parse(File.ReadAllText(Path.Combine(thread, "stat")));
                }
            }
        }
        catch (IOException)
        {
            // The process or one of its threads has just ended.
        }

        return threads;
    }

    private static double Parse(string stat)
    {
        // The name in parentheses may have any characters; after it the state is field 3, utime 14 and stime 15.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>The first number of /proc/loadavg: the load of the machine. Empty when there is none.</summary>
    public static string LoadAverage() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "";
}
