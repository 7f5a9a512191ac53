using System.Net;
using System.Net.Sockets;

namespace Detection.Frontend.Http.Access;

/// <summary>What counts as one caller where callers are told apart by address.</summary>
internal static class RemoteNetwork
{
    private const int PrefixBytes = 8;

    /// <summary>An IPv4 address; of an IPv6 address its network of 64 bits, which belongs to one customer.</summary>
    /// <returns>Empty for no address.</returns>
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
