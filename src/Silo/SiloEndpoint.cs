using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Detection.Silo;

/// <summary>Address and ports of a silo, where the configuration leaves them open.</summary>
internal sealed record SiloEndpoint(IPAddress Address, int Port, int GatewayPort)
{
    private const int DefaultPort = 11111;
    private const int DefaultGatewayPort = 30000;

    public static SiloEndpoint Choose(SiloOptions options, ConfigurationOptions redis)
    {
        var port = Choose(options.Port, DefaultPort, 0);
        return new SiloEndpoint(
            options.AdvertisedAddress is { } address ? IPAddress.Parse(address) : ReachableAddress(redis),
            port,
            Choose(options.GatewayPort, DefaultGatewayPort, port));
    }

    private static int Choose(int? configured, int usual, int taken)
    {
        if (configured is { } port and > 0)
        {
            return port;
        }

        if (configured is null)
        {
            var used = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
            return Enumerable.Range(usual, 1000).First(candidate => !used.Contains(candidate) && candidate != taken);
        }

        using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static IPAddress ReachableAddress(ConfigurationOptions redis)
    {
        var local = redis.EndPoints.All(endpoint => endpoint switch
        {
            IPEndPoint ip => IPAddress.IsLoopback(ip.Address),
            DnsEndPoint dns => dns.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase),
            _ => false,
        });
        return local
            ? IPAddress.Loopback
            : Dns.GetHostAddresses(Dns.GetHostName(), AddressFamily.InterNetwork).FirstOrDefault(ip => !IPAddress.IsLoopback(ip))
                ?? IPAddress.Loopback;
    }
}
