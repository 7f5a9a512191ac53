using System.Globalization;
using System.Net;
using Detection.Hosting.Management;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Detection.Hosting;

/// <summary>Checks the addresses at which a program is to listen, before anything is started: so little has to be undone, and the fault is a sentence.</summary>
internal static class ListenedAddresses
{
    private const string Urls = "urls";
    private const string Endpoints = "Kestrel:Endpoints";
    private const string Management = $"{ManagementOptions.Section}:{nameof(ManagementOptions.Url)}";

    private static readonly HashSet<string> Schemes = new([Uri.UriSchemeHttp, Uri.UriSchemeHttps], StringComparer.OrdinalIgnoreCase);

    /// <exception cref="OptionsValidationException">A setting is no address, or two are the same.</exception>
    /// <exception cref="AddressInUseException">Another process listens at one.</exception>
    public static void Require(IConfiguration configuration)
    {
        List<string> faults = [];
        List<Listened> before = [];
        foreach (var (setting, url) in Read(configuration, faults))
        {
            if (Parse(setting, url) is not { } listened)
            {
                faults.Add($"The setting '{setting}' has '{url}'. Use an address such as http://localhost:8080.");
            }
            else if (before.Find(listened.Overlaps) is { } same)
            {
                faults.Add($"The setting '{setting}' has '{url}', the same port as '{same.Url}' of '{same.Setting}'. Use another one.");
            }
            else
            {
                before.Add(listened);
            }
        }

        if (faults.Count > 0)
        {
            throw new OptionsValidationException(Urls, typeof(IConfiguration), faults);
        }

        foreach (var (_, url, host, port) in before)
        {
            if (port != 0 && !FreePort.IsFree(port, host))
            {
                throw new AddressInUseException($"Another process listens on {url}. Choose another address, such as --urls http://localhost:{port + 10}.");
            }
        }
    }

    /// <summary>The settings of addresses, in the order of precedence of the server.</summary>
    private static List<(string Setting, string Url)> Read(IConfiguration configuration, List<string> faults)
    {
        var endpoints = configuration.GetSection(Endpoints).GetChildren().ToList();
        if (endpoints.Count > 0)
        {
            return [.. endpoints.Select(endpoint => (Named($"{endpoint.Path}:Url", endpoint["Url"]), endpoint["Url"] ?? ""))];
        }

        if (Split(Urls) is { Length: > 0 } urls)
        {
            return [.. urls.Select(url => (Named(Urls, url), url))];
        }

        return [.. Ports("http"), .. Ports("https")];

        string Named(string setting, string? url) => url is not null && url == configuration[Management] ? Management : setting;

        string[] Split(string setting) => configuration[setting]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

        IEnumerable<(string Setting, string Url)> Ports(string scheme)
        {
            foreach (var port in Split($"{scheme}_ports"))
            {
                if (ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                {
                    yield return ($"{scheme}_ports", $"{scheme}://*:{port}");
                }
                else
                {
                    faults.Add($"The setting '{scheme}_ports' has '{port}'. Use a port from 0 to 65535.");
                }
            }
        }
    }

    /// <returns><see langword="null"/> for what the server does not listen at.</returns>
    private static Listened? Parse(string setting, string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            if (address.IsUnixPipe || address.IsNamedPipe)
            {
                return new Listened(setting, url, IPAddress.Any, 0);
            }

            // "http://localhost:many" is parsed as a host with this name.
            return Schemes.Contains(address.Scheme) && address.PathBase.Length == 0 && address.Port <= IPEndPoint.MaxPort
                && (!address.Host.Contains(':', StringComparison.Ordinal) || address.Host.StartsWith('['))
                ? new Listened(setting, url, HostOf(address), address.Port)
                : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static IPAddress HostOf(BindingAddress address) =>
        IPAddress.TryParse(address.Host, out var ip) ? ip
        : address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.IPv6Any;

    /// <summary>An address at which the program is to listen. A host that is a name listens at every address.</summary>
    private sealed record Listened(string Setting, string Url, IPAddress Host, int Port)
    {
        public bool Overlaps(Listened other) => Port != 0 && Port == other.Port && (Host.Equals(other.Host) || IsAny(Host, other.Host) || IsAny(other.Host, Host));

        private static bool IsAny(IPAddress host, IPAddress other) =>
            host.Equals(IPAddress.IPv6Any) || (host.Equals(IPAddress.Any) && other.AddressFamily == host.AddressFamily);
    }
}
