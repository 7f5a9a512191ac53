using System.Net;

namespace Detection.Grains.Fetching;

/// <summary>Names to addresses.</summary>
internal interface IHostResolver
{
    /// <summary>All addresses of a host, in the order in which they should be tried.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such host, or no answer about it.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}
