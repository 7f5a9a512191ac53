using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Hosting;

/// <summary>Address and ports of a silo, and their defaults.</summary>
internal sealed record SiloEndpoint(IPAddress Address, int Port, int GatewayPort)
{
    private const int DefaultPort = 11111;
    private const int DefaultGatewayPort = 30000;

    /// <exception cref="OptionsValidationException">The address is not valid, or another process uses a port.</exception>
    public static SiloEndpoint Choose(SiloOptions options, ConfigurationOptions redis)
    {
        var address = options.AdvertisedAddress is not { } advertised ? ReachableAddress(redis)
            : IPAddress.TryParse(advertised, out var parsed) ? parsed
            : throw Invalid($"The setting '{SiloOptions.Section}:{nameof(options.AdvertisedAddress)}' is '{advertised}', which is no IP address.");
        return new SiloEndpoint(
            address, Choose(options.Port, DefaultPort, address), Choose(options.GatewayPort, DefaultGatewayPort, address));
    }

    private static int Choose(int? configured, int usual, IPAddress address)
    {
        switch (configured)
        {
            case null:
                return FreePort.From(usual);
            case 0:
                using (var probe = new Socket(SocketType.Stream, ProtocolType.Tcp))
                {
                    probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                    return ((IPEndPoint)probe.LocalEndPoint!).Port;
                }

            case { } port:
                // Before it listens, Orleans declares the silo dead that had this address before. So the port is checked first.
                return FreePort.IsFree(port, address)
                    ? port
                    : throw Invalid($"Another process listens on port {port}, which the settings give this silo.");
        }
    }

    private static OptionsValidationException Invalid(string fault) => new(SiloOptions.Section, typeof(SiloOptions), [fault]);

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
