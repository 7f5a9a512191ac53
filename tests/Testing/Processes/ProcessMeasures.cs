using System.Globalization;

namespace Detection.Testing;

/// <summary>Resources of a process of this machine. Linux only.</summary>
public static class ProcessMeasures
{
    /// <summary>Memory in use, in bytes.</summary>
    public static long ResidentBytes(int process) => Status(process, "VmRSS:") * 1024;

    /// <summary>Maximum memory in use so far, in bytes.</summary>
    public static long PeakBytes(int process) => Status(process, "VmHWM:") * 1024;

    /// <summary>Open files and connections.</summary>
    public static int Descriptors(int process) => Directory.GetFileSystemEntries($"/proc/{process}/fd").Length;

    /// <summary>Threads.</summary>
    public static int Threads(int process) => (int)Status(process, "Threads:");

    private static long Status(int process, string name) => long.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
