using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DnsClient;

namespace Detection.Grains.Fetching;

/// <summary>The name servers and search domains, as resolv.conf(5) defines them.</summary>
/// <param name="Servers">Name servers, in the order in which they are asked.</param>
/// <param name="Search">Domains that names with few dots are completed with.</param>
/// <param name="Ndots">A name with at least so many dots is first resolved as it is.</param>
internal sealed record ResolverSettings(IReadOnlyList<IPEndPoint> Servers, IReadOnlyList<string> Search, int Ndots)
{
    private const int MaxServers = 3;
    private const int MaxNdots = 15;
    private const int MaxName = 253;
    private const int DnsPort = 53;

    /// <summary>Where Linux has its settings.</summary>
    public static string SystemPath => "/etc/resolv.conf";

    /// <summary>The settings of the operating system.</summary>
    /// <param name="path">The file, where the system has one.</param>
    public static ResolverSettings OfSystem(string path)
    {
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                return Parse(File.ReadAllText(path));
            }

            var servers = NameServer.ResolveNameServers(skipIPv6SiteLocal: true, fallbackToGooglePublicDns: false);
            return new ResolverSettings([.. servers.Select(static server => new IPEndPoint(IPAddress.Parse(server.Address), server.Port))], [], 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return Parse("");
        }
    }

    /// <summary>Reads a resolv.conf. Without a name server, the one on this machine is used.</summary>
    public static ResolverSettings Parse(string text)
    {
        List<IPEndPoint> servers = [];
        string[] search = [];
        var ndots = 1;
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["nameserver", var server, ..] when servers.Count < MaxServers && IPAddress.TryParse(server, out var address):
                    servers.Add(new IPEndPoint(address, DnsPort));
                    break;
                case ["search" or "domain", ..]:
                    search = [.. words.Skip(1).Select(static domain => domain.Trim('.')).Where(static domain => domain.Length > 0)];
                    break;
                case ["options", ..]:
                    ndots = words.Where(static word => word.StartsWith("ndots:", StringComparison.Ordinal))
                        .Select(static word => int.TryParse(word["ndots:".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var dots) ? dots : 1)
                        .LastOrDefault(ndots);
                    break;
            }
        }

        return new ResolverSettings(servers.Count > 0 ? servers : [new IPEndPoint(IPAddress.Loopback, DnsPort)], search, Math.Min(ndots, MaxNdots));
    }

    /// <summary>Reads <c>address</c> or <c>address:port</c> of a name server.</summary>
    public static bool TryParseServer(string? text, out IPEndPoint server)
    {
        server = new IPEndPoint(IPAddress.None, DnsPort);
        if (!IPEndPoint.TryParse(text ?? "", out var read) || (read.AddressFamily == AddressFamily.InterNetwork && !text!.Contains('.', StringComparison.Ordinal)))
        {
            return false;
        }

        server = read.Port == 0 ? new IPEndPoint(read.Address, DnsPort) : read;
        return true;
    }

    /// <summary>The names to resolve, one after another, until one exists.</summary>
    public IEnumerable<string> Candidates(string host)
    {
        var asItIsFirst = host.AsSpan().Count('.') >= Ndots;
        var completed = Search.Select(domain => $"{host}.{domain}").Where(static name => name.Length <= MaxName);
        return asItIsFirst ? completed.Prepend(host) : completed.Append(host);
    }
}
