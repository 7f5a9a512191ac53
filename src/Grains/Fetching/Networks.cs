using System.Net;
using System.Net.Sockets;

namespace Detection.Grains.Fetching;

/// <summary>
/// Recognises addresses outside the public internet, according to the IANA special-purpose address registries (RFC 6890 and its successors).
/// </summary>
internal static class Networks
{
    // https://www.iana.org/assignments/iana-ipv4-special-registry
    private static readonly IPNetwork[] ClosedIPv4 = ParseAll(
        "0.0.0.0/8",          // this network; 0.0.0.0 connects to the machine itself
        "10.0.0.0/8",         // private
        "100.64.0.0/10",      // carrier-grade NAT
        "127.0.0.0/8",        // loopback
        "169.254.0.0/16",     // link-local
        "172.16.0.0/12",      // private
        "192.0.0.0/24",       // IETF protocol assignments
        "192.0.2.0/24",       // documentation
        "192.88.99.0/24",     // 6to4 relays
        "192.168.0.0/16",     // private
        "198.18.0.0/15",      // benchmarking
        "198.51.100.0/24",    // documentation
        "203.0.113.0/24",     // documentation
        "224.0.0.0/4",        // multicast
        "240.0.0.0/4");       // reserved, and broadcast

    // Only 2000::/3 is assigned as global unicast. All other addresses are closed without being listed: unspecified, loopback, IPv4-compatible and
    // -translated, local-use NAT64, discard-only, unique local, link-local, site-local, multicast.
    private static readonly IPNetwork GlobalIPv6 = IPNetwork.Parse("2000::/3");

    // https://www.iana.org/assignments/iana-ipv6-special-registry
    private static readonly IPNetwork[] ClosedIPv6 = ParseAll(
        "2001::/23",          // IETF protocol assignments: Teredo, benchmarking, ORCHID and others
        "2001:db8::/32",      // documentation
        "3ffe::/16",          // the former 6bone
        "3fff::/20");         // documentation

    // Machines get credentials at these addresses, so no setting opens them.
    private static readonly IPNetwork[] Metadata = ParseAll(
        "169.254.169.254/32", // AWS, Azure, Google and most others
        "169.254.170.2/32",   // AWS ECS
        "169.254.170.23/32",  // AWS EKS
        "169.254.42.42/32",   // Scaleway
        "100.100.100.200/32", // Alibaba
        "168.63.129.16/32",   // Azure
        "192.0.0.192/32",     // Oracle
        "fd00:ec2::254/128",  // AWS
        "fd00:ec2::23/128",   // AWS EKS
        "fd20:ce::254/128",   // Google
        "fd00:42::42/128");   // Scaleway

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    /// <summary>Whether <paramref name="address"/> is a public unicast address, and an IPv4 address embedded in it is public, too.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var plain = Unmap(address);
        if (plain.AddressFamily == AddressFamily.InterNetwork)
        {
            return !Any(ClosedIPv4, plain);
        }

        return (GlobalIPv6.Contains(plain) || Nat64.Contains(plain))
            && !Any(ClosedIPv6, plain)
            && !IsIsatap(plain)
            && !(Embedded(plain) is { } embedded && Any(ClosedIPv4, embedded));
    }

    /// <summary>Whether <paramref name="address"/>, or the IPv4 address embedded in it, gives credentials to machines.</summary>
    public static bool IsMetadata(IPAddress address) => AnyOf(Metadata, address);

    /// <summary>Whether <paramref name="address"/>, or the IPv4 address embedded in it, is in one of <paramref name="networks"/>.</summary>
    public static bool AnyOf(IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        var plain = Unmap(address);
        return Any(networks, plain) || (Embedded(plain) is { } embedded && Any(networks, embedded));
    }

    /// <summary>The IPv4 address of an IPv4-mapped one (<c>::ffff:10.0.0.1</c>), without scope; other addresses unchanged, without scope.</summary>
    public static IPAddress Unmap(IPAddress address) => address switch
    {
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4(),
        { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } => new IPAddress(address.GetAddressBytes()),
        _ => address,
    };

    /// <summary>Reads a network, or an address as a network of one address.</summary>
    public static bool TryParse(string? text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
        {
            return true;
        }

        if (IPAddress.TryParse(text, out var address) && text.AsSpan().ContainsAny('.', ':'))
        {
            var plain = Unmap(address);
            network = new IPNetwork(plain, plain.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
            return true;
        }

        return false;
    }

    // The IPv4 address at the other end of a translator or tunnel: NAT64 (RFC 6052), 6to4 (RFC 3056).
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return Nat64.Contains(address) ? new IPAddress(bytes[12..])
            : SixToFour.Contains(address) ? new IPAddress(bytes[2..6])
            : null;
    }

    // Interface identifiers of the ISATAP tunnel (RFC 5214), which contain an IPv4 address. ISATAP is not used today, so all of it is closed, as for
    // Teredo.
    private static bool IsIsatap(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return (bytes[8] & 0xFD) == 0 && bytes[9..12].SequenceEqual<byte>([0x00, 0x5E, 0xFE]);
    }

    private static bool Any(IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static IPNetwork[] ParseAll(params ReadOnlySpan<string> networks)
    {
        var parsed = new IPNetwork[networks.Length];
        for (var i = 0; i < parsed.Length; i++)
        {
            parsed[i] = IPNetwork.Parse(networks[i]);
        }

        return parsed;
    }
}
