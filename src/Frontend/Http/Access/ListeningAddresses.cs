using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Detection.Frontend.Http.Access;

/// <summary>The addresses on which this server listens. They are known after its start.</summary>
internal sealed class ListeningAddresses(IServer server)
{
    private HashSet<int>? _openPorts;

    /// <summary>The addresses that other machines can reach.</summary>
    public IReadOnlyList<string> Open =>
        [.. (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Where(static address => !IsLoopback(BindingAddress.Parse(address)))];

    /// <summary>Whether a request came to a port on which the server listens on loopback addresses only.</summary>
    public bool IsLoopbackOnly(ConnectionInfo connection)
    {
        _openPorts ??= [.. Open.Select(static address => BindingAddress.Parse(address).Port)];
        return connection.LocalIpAddress is { } address && IPAddress.IsLoopback(address) && !_openPorts.Contains(connection.LocalPort);
    }

    private static bool IsLoopback(BindingAddress address) =>
        address.IsUnixPipe || address.IsNamedPipe
        || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}
