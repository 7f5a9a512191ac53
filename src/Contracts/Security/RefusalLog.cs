using System.Net;
using Detection.Contracts.Messages;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Detection.Contracts.Security;

/// <summary>Logs failed connections with their reasons, at most once a second, so that outsiders cannot fill the log.</summary>
internal sealed partial class RefusalLog(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly LogThrottle _throttle = new(Pause, time);

    public void Inbound(ConnectionContext connection, string reason)
    {
        if (_throttle.IsDue(out var passedOver))
        {
            LogInbound(connection.RemoteEndPoint, (connection.LocalEndPoint as IPEndPoint)?.Port, reason.TrimEnd('.'), passedOver);
        }
    }

    public void Outbound(ConnectionContext connection, string reason)
    {
        if (_throttle.IsDue(out var passedOver))
        {
            LogOutbound(connection.RemoteEndPoint, reason.TrimEnd('.'), passedOver);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Connection from {Remote} to port {Port} refused: {Reason}. {PassedOver} more failed since the last message.")]
    private partial void LogInbound(EndPoint? remote, int? port, string reason, int passedOver);

    [LoggerMessage(2, LogLevel.Warning, "Connection to {Remote} failed: {Reason}. {PassedOver} more failed since the last message.")]
    private partial void LogOutbound(EndPoint? remote, string reason, int passedOver);
}
