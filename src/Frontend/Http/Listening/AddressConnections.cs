using System.Net;
using Detection.Contracts.Messages;
using Detection.Contracts.Sharing;
using Detection.Frontend.Http.Access;
using Microsoft.AspNetCore.Connections;

namespace Detection.Frontend.Http.Listening;

/// <summary>
/// Limits the connections of each address, so that no address can take them all. An address may hold a share of what the other addresses
/// leave, so there is always room for one more address. A connection counts before TLS and before the first byte of a request.
/// </summary>
/// <param name="capacity">Connections of all addresses together.</param>
/// <param name="share">Share of the capacity that others leave, which one address may hold; 0 to 1.</param>
/// <param name="time">Measures the pauses between log messages.</param>
/// <param name="logger">Logs the refusals.</param>
internal sealed partial class AddressConnections(long capacity, double share, TimeProvider time, ILogger<AddressConnections> logger)
{
    // Strangers must not be able to fill the log.
    private static readonly TimeSpan LogPause = TimeSpan.FromSeconds(10);

    private readonly CallerShares _connections = new(capacity, share);
    private readonly LogThrottle _throttle = new(LogPause, time);

    public ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        if (connection.RemoteEndPoint is not IPEndPoint remote)
        {
            // A Unix socket: the rights of its file limit the callers.
            await next(connection);
            return;
        }

        var address = RemoteNetwork.Of(remote.Address);
        if (_connections.Take(address, 1) != PlaceLimit.None)
        {
            if (_throttle.IsDue(out var passedOver))
            {
                LogRefused(remote.Address, passedOver + 1, share);
            }

            await connection.Transport.Input.CompleteAsync();
            await connection.Transport.Output.CompleteAsync();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            _connections.Give(address, 1);
        }
    };

    [LoggerMessage(41, LogLevel.Warning, "This process may have only {Limit} files and connections open; it accepts {Max} concurrent connections instead of {Setting} (Detection:Frontend:MaxConnections). Raise the limit (ulimit -n).", EventName = "FewOpenFiles")]
    public static partial void LogFewFiles(ILogger logger, long limit, int max, int setting);

    [LoggerMessage(40, LogLevel.Warning, "Connection from {Address} closed ({Refused} since the last message): the address already holds its share ({Share}) of the connections. Behind a proxy, raise Detection:Frontend:AddressConnectionShare.")]
    private partial void LogRefused(IPAddress address, int refused, double share);
}
