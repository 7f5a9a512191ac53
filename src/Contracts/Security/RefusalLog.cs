using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Detection.Contracts.Security;

/// <summary>Says which connections failed and why, once a second at most: strangers must not be able to fill the log.</summary>
internal sealed partial class RefusalLog(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long? _logged;
    private int _passedOver;

    public void Inbound(ConnectionContext connection, string reason)
    {
        if (IsDue(out var passedOver))
        {
            LogInbound(connection.RemoteEndPoint, (connection.LocalEndPoint as IPEndPoint)?.Port, reason.TrimEnd('.'), passedOver);
        }
    }

    public void Outbound(ConnectionContext connection, string reason)
    {
        if (IsDue(out var passedOver))
        {
            LogOutbound(connection.RemoteEndPoint, reason.TrimEnd('.'), passedOver);
        }
    }

    private bool IsDue(out int passedOver)
    {
        lock (_gate)
        {
            if (_logged is { } logged && time.GetElapsedTime(logged) < Pause)
            {
                _passedOver++;
                passedOver = 0;
                return false;
            }

            _logged = time.GetTimestamp();
            (passedOver, _passedOver) = (_passedOver, 0);
            return true;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Connection from {Remote} to port {Port} refused: {Reason}. {PassedOver} more failed since the last message.")]
    private partial void LogInbound(EndPoint? remote, int? port, string reason, int passedOver);

    [LoggerMessage(2, LogLevel.Warning, "Connection to {Remote} failed: {Reason}. {PassedOver} more failed since the last message.")]
    private partial void LogOutbound(EndPoint? remote, string reason, int passedOver);
}
