using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Security;

/// <summary>
/// Admits only processes with the cluster's certificate and secret to Orleans, on silo and gateway ports and on both sides of a connection. A refused
/// connection is closed before Orleans reads a byte of it.
/// </summary>
public sealed partial class ClusterSecurity
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly TlsIdentityFiles? _identity;
    private readonly byte[][] _secrets;
    private readonly RefusalLog _refusals;

    /// <summary>Reads the certificate.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong, or a file that it names.</exception>
    public ClusterSecurity(IOptions<ClusterSecurityOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        var settings = options.Value;
        var logger = loggers.CreateLogger<ClusterSecurity>();
        _time = time;
        _identity = settings.Certificate.Length > 0 ? new TlsIdentityFiles(settings, time, logger) : null;
        _secrets = SecretHandshake.Secrets(settings.Secret);
        _refusals = new RefusalLog(time, logger);
        IsOn = _identity is not null || settings.Secret.Length > 0;
    }

    /// <summary>Whether connections are checked. If not, they are left unchanged.</summary>
    public bool IsOn { get; }

    /// <summary>The mark with which silos compare their settings before they connect.</summary>
    public ClusterMark MarkOf(string clusterId) => ClusterMark.Of(clusterId, _secrets, _identity?.Current);

    /// <summary>For connections that others open to this process.</summary>
    public void Accept(IConnectionBuilder connections) => Secure(connections, HandshakeSide.Accepting);

    /// <summary>For connections that this process opens.</summary>
    public void Connect(IConnectionBuilder connections) => Secure(connections, HandshakeSide.Connecting);

    private void Secure(IConnectionBuilder connections, HandshakeSide side)
    {
        ArgumentNullException.ThrowIfNull(connections);
        if (IsOn)
        {
            connections.Use(next => connection => SecureAsync(connection, next, side));
        }
    }

    private async Task SecureAsync(ConnectionContext connection, ConnectionDelegate next, HandshakeSide side)
    {
        SecuredTransport transport;
        try
        {
            transport = await ShakeHandsAsync(connection, side);
        }
        catch (AuthenticationException e)
        {
            side.Refuse(_refusals, connection, e.Message);
            if (side.Throws)
            {
                throw;
            }

            return;
        }

        await RunAsync(connection, transport, next);
    }

    private static async Task RunAsync(ConnectionContext connection, SecuredTransport transport, ConnectionDelegate next)
    {
        var plain = connection.Transport;
        await using (transport)
        {
            connection.Transport = transport;
            try
            {
                await next(connection);
            }
            finally
            {
                connection.Transport = plain;
            }
        }
    }

    /// <exception cref="AuthenticationException">The handshake failed; the message says why, as a part of a sentence.</exception>
    private async Task<SecuredTransport> ShakeHandsAsync(ConnectionContext connection, HandshakeSide side)
    {
        using var deadline = new CancellationTokenSource(HandshakeTimeout, _time);
        var certificate = new RemoteCertificate();
        SecuredTransport? transport = null;
        try
        {
            if (_identity is { Current: { } identity })
            {
                var tls = new SslStream(new DuplexPipeStream(connection.Transport));
                transport = new SecuredTransport(tls);
                await side.AuthenticateAsync(tls, identity, certificate.Validate, deadline.Token);
            }
            else
            {
                transport = new SecuredTransport(connection.Transport);
            }

            await side.ProveAsync(transport, _secrets, deadline.Token);
            return transport;
        }
        catch (Exception e) when (IsRefusal(e))
        {
            if (transport is not null)
            {
                await transport.DisposeAsync();
            }

            throw new AuthenticationException(
                certificate.Fault
                    ?? (deadline.IsCancellationRequested ? $"the handshake was not complete after {HandshakeTimeout.TotalSeconds:0} s"
                    : e is AuthenticationException { InnerException: { } inner } ? $"{e.Message} {inner.Message}" : e.Message),
                e);
        }
    }

    /// <summary>Errors that invalid bytes of outsiders, or a connection that is closed meanwhile, cause in TLS and pipes.</summary>
    private static bool IsRefusal(Exception e) =>
        e is AuthenticationException or IOException or InvalidDataException or OperationCanceledException or CryptographicException
            or InvalidOperationException or System.ComponentModel.Win32Exception;

    /// <summary>Validates the other side's certificate, and records its fault.</summary>
    private sealed class RemoteCertificate
    {
        public string? Fault { get; private set; }

        /// <summary>A certificate of the authority is accepted with any name: processes start and stop at any address.</summary>
        public bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            var faults = errors & ~SslPolicyErrors.RemoteCertificateNameMismatch;
            if (faults == SslPolicyErrors.None)
            {
                return true;
            }

            Fault = certificate is null
                ? "the other side has no certificate"
                : $"the certificate '{certificate.Subject}' is not accepted: {string.Join(", ", chain?.ChainStatus.Select(static status => status.Status).Distinct() ?? [])}";
            return false;
        }
    }
}
