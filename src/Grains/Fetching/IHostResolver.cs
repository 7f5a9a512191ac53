using System.Net;

namespace Detection.Grains.Fetching;

/// <summary>Resolves names to addresses.</summary>
internal interface IHostResolver
{
    /// <summary>All addresses of a host, in the order in which they should be tried.</summary>
    /// <param name="host">A name in lower case without a dot at its end.</param>
    /// <param name="caller">The caller whose share of lookups is used; <see langword="null"/> for a caller without a name.</param>
    /// <param name="cancellationToken">Cancels the lookup at once.</param>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such host, or no answer about it.</exception>
    Task<IPAddress[]> ResolveAsync(string host, string? caller, CancellationToken cancellationToken);
}
