using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;

namespace Detection.Contracts.Security;

/// <summary>The steps of the handshake that differ between the two sides of a connection.</summary>
/// <param name="AuthenticateAsync">The handshake of TLS.</param>
/// <param name="ProveAsync">The handshake of the secret.</param>
/// <param name="Refuse">Logs that a handshake failed.</param>
/// <param name="Throws">Whether a failure is rethrown: Orleans must know that a connection which it opens has failed.</param>
internal sealed record HandshakeSide(
    Func<SslStream, TlsIdentity, RemoteCertificateValidationCallback, CancellationToken, Task> AuthenticateAsync,
    Func<IDuplexPipe, byte[][], CancellationToken, Task> ProveAsync,
    Action<RefusalLog, ConnectionContext, string> Refuse,
    bool Throws)
{
    /// <summary>The side that opens the connection.</summary>
    public static HandshakeSide Connecting { get; } = new(
        static (tls, identity, validate, deadline) => tls.AuthenticateAsClientAsync(identity.ToClient(validate), deadline),
        SecretHandshake.ConnectAsync,
        static (refusals, connection, reason) => refusals.Outbound(connection, reason),
        Throws: true);

    /// <summary>The side that is connected to.</summary>
    public static HandshakeSide Accepting { get; } = new(
        static (tls, identity, validate, deadline) => tls.AuthenticateAsServerAsync(identity.ToServer(validate), deadline),
        SecretHandshake.AcceptAsync,
        static (refusals, connection, reason) => refusals.Inbound(connection, reason),
        Throws: false);
}
