using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;

namespace Detection.Contracts.Security;

/// <summary>In what the two sides of a connection differ while they prove to each other who they are.</summary>
internal abstract class HandshakeSide
{
    /// <summary>The side that opens the connection.</summary>
    public static HandshakeSide Connecting { get; } = new ConnectingSide();

    /// <summary>The side that is connected to.</summary>
    public static HandshakeSide Accepting { get; } = new AcceptingSide();

    /// <summary>The handshake of TLS.</summary>
    public abstract Task AuthenticateAsync(SslStream tls, TlsIdentity identity, RemoteCertificateValidationCallback validate, CancellationToken deadline);

    /// <summary>The handshake of the secret.</summary>
    public abstract Task ProveAsync(IDuplexPipe transport, byte[][] secrets, CancellationToken deadline);

    /// <summary>Says that a handshake failed.</summary>
    /// <returns>Whether the failure is to be thrown on: Orleans must know that a connection which it opens has failed.</returns>
    public abstract bool Refuse(RefusalLog refusals, ConnectionContext connection, string reason);

    private sealed class ConnectingSide : HandshakeSide
    {
        public override Task AuthenticateAsync(SslStream tls, TlsIdentity identity, RemoteCertificateValidationCallback validate, CancellationToken deadline) =>
            tls.AuthenticateAsClientAsync(identity.ToClient(validate), deadline);

        public override Task ProveAsync(IDuplexPipe transport, byte[][] secrets, CancellationToken deadline) =>
            SecretHandshake.ConnectAsync(transport, secrets, deadline);

        public override bool Refuse(RefusalLog refusals, ConnectionContext connection, string reason)
        {
            refusals.Outbound(connection, reason);
            return true;
        }
    }

    private sealed class AcceptingSide : HandshakeSide
    {
        public override Task AuthenticateAsync(SslStream tls, TlsIdentity identity, RemoteCertificateValidationCallback validate, CancellationToken deadline) =>
            tls.AuthenticateAsServerAsync(identity.ToServer(validate), deadline);

        public override Task ProveAsync(IDuplexPipe transport, byte[][] secrets, CancellationToken deadline) =>
            SecretHandshake.AcceptAsync(transport, secrets, deadline);

        public override bool Refuse(RefusalLog refusals, ConnectionContext connection, string reason)
        {
            refusals.Inbound(connection, reason);
            return false;
        }
    }
}
