using System.Net;

namespace Detection.Contracts.Storage;

/// <summary>The servers of a service as a Sentinel sees them.</summary>
/// <param name="Master">The server that is the master.</param>
/// <param name="Epoch">Grows with every change of the master.</param>
/// <param name="Others">The other servers, and whether each is known to follow the master.</param>
internal sealed record SentinelView(EndPoint Master, long Epoch, IReadOnlyDictionary<EndPoint, bool> Others)
{
    /// <summary>
    /// Whether <paramref name="server"/> may call itself master and is not: one that was the master stays so in its own eyes, from the moment
    /// that it can be reached again until a Sentinel has told it. What no Sentinel knows as a server of data is not refused.
    /// </summary>
    public bool Refuses(EndPoint server) => !server.Equals(Master) && Others.TryGetValue(server, out var follows) && !follows;
}
