using System.Net;

namespace Detection.Grains.Fetching;

/// <summary>Names that the machine itself knows: its hosts file, to which Kubernetes and Docker also write.</summary>
internal sealed class HostsFile(string path)
{
    /// <summary>The path of the file in the operating system.</summary>
    public static string SystemPath { get; } = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.SystemDirectory, "drivers", "etc", "hosts")
        : "/etc/hosts";

    /// <summary>The addresses of a name; none when the file does not contain it.</summary>
    /// <param name="host">A name in lower case without a dot at its end.</param>
    /// <param name="text">The file.</param>
    public static IPAddress[] Find(string host, string text)
    {
        List<IPAddress> found = [];
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var end = line.IndexOf('#');
            var words = (end < 0 ? line : line[..end]).ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && IPAddress.TryParse(words[0], out var address)
                && words.Skip(1).Contains(host, StringComparer.OrdinalIgnoreCase) && !found.Contains(address))
            {
                found.Add(address);
            }
        }

        return [.. found];
    }

    /// <summary>The addresses of a name; none when the file does not contain it or cannot be read.</summary>
    /// <param name="host">A name in lower case without a dot at its end.</param>
    public IPAddress[] Find(string host)
    {
        try
        {
            return Find(host, File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
