using System.Net;

namespace Detection.Contracts.Storage;

/// <summary>The servers of a service as a Sentinel sees them.</summary>
/// <param name="Master">The server that is the master.</param>
/// <param name="Epoch">Grows with every change of the master.</param>
/// <param name="Others">The other servers, and whether each is known to follow the master.</param>
internal sealed record SentinelView(EndPoint Master, long Epoch, IReadOnlyDictionary<EndPoint, bool> Others)
{
    /// <summary>
    /// Whether <paramref name="server"/> must not be used because it may report itself as master although it is not. A former master does so from the
    /// moment it is reachable again until a Sentinel reconfigures it. A server that no Sentinel knows is not refused.
    /// </summary>
    public bool Refuses(EndPoint server) => !server.Equals(Master) && Others.TryGetValue(server, out var follows) && !follows;
}
