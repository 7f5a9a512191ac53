using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Detection.Grains.Fetching;

/// <summary>A host in the settings: one name or address, or all names below a name.</summary>
internal sealed record HostPattern(string Host, bool Below)
{
    private static readonly SearchValues<char> NotInHosts = SearchValues.Create("*/?#@%\\[] ");

    /// <summary>Reads <c>name</c>, an address, or <c>*.name</c>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out HostPattern? pattern)
    {
        pattern = null;
        var below = text?.StartsWith("*.", StringComparison.Ordinal) ?? false;
        var host = below ? text![2..] : text;

        if (string.IsNullOrEmpty(host) || host.AsSpan().ContainsAny(NotInHosts))
        {
            return false;
        }

        if (IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            pattern = below ? null : new HostPattern(Normalize(host), Below: false);
            return pattern is not null;
        }

        // Uri normalizes the name as it normalizes those of the URLs that are compared with it.
        if (!host.Contains(':', StringComparison.Ordinal) && Uri.TryCreate($"http://{host}/", UriKind.Absolute, out var uri))
        {
            pattern = new HostPattern(Normalize(uri.IdnHost), below);
            return true;
        }

        return false;
    }

    /// <summary>Whether this pattern matches <paramref name="host"/>, which is normalized.</summary>
    public bool Matches(string host) => Below
        ? host.Length > Host.Length + 1 && host.EndsWith(Host, StringComparison.Ordinal) && host[^(Host.Length + 1)] == '.'
        : host == Host;

    /// <summary>One spelling per host: lower case, no trailing dot, addresses in their canonical form.</summary>
    public static string Normalize(string idnHost)
    {
        var host = idnHost.EndsWith('.') ? idnHost[..^1] : idnHost;
        return IPAddress.TryParse(host, out var address) ? Networks.Unmap(address).ToString() : host.ToLowerInvariant();
    }
}
