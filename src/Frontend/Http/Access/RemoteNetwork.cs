using System.Net;
using System.Net.Sockets;

namespace Detection.Frontend.Http.Access;

/// <summary>Identifies callers by their addresses.</summary>
internal static class RemoteNetwork
{
    private const int PrefixBytes = 8;

    /// <summary>The text of an IPv4 address; the first 64 bits of an IPv6 address, since providers assign such a network to one customer.</summary>
    /// <returns>Empty without an address.</returns>
    public static string Of(IPAddress? address)
    {
        if (address is null)
        {
            return "";
        }

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily == AddressFamily.InterNetworkV6 && !IPAddress.IsLoopback(plain)
            ? Convert.ToHexString(plain.GetAddressBytes().AsSpan(0, PrefixBytes))
            : plain.ToString();
    }
}
