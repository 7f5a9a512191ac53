using System.Globalization;

namespace Detection.Bench.Measuring;

/// <summary>Processor time of other processes, as Linux counts it.</summary>
public static class ProcessorTime
{
    // USER_HZ is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>User and system time of a process since its start, in seconds; 0 when it is gone or this is no Linux.</summary>
    public static double Seconds(int process)
    {
        try
        {
            // The name in parentheses may hold anything; after it the state is field 3, utime 14 and stime 15.
            var text = File.ReadAllText($"/proc/{process}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>The first number of /proc/loadavg: what else runs here. Empty where there is none.</summary>
    public static string LoadAverage() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "";
}
