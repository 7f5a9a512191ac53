using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>
/// Sends HTTP requests, all of them through the egress guard. One request, one response: no redirects, cookies, credentials, proxies, decompression
/// or trace headers.
/// </summary>
internal sealed class GuardedHttp : DelegatingHandler
{
    // The name server of an outsider may return thousands of addresses.
    private const int MaxAddresses = 4;

    private static readonly HttpRequestOptionsKey<CancellationToken> Caller = new("Detection.Caller");
    private static readonly HttpRequestOptionsKey<OpenAddresses> Addresses = new("Detection.Addresses");

    private readonly EgressGuard _guard;
    private readonly TimeProvider _time;
    private readonly TimeSpan _connectTimeout;

    public GuardedHttp(EgressGuard guard, IOptions<FetchOptions> options, TimeProvider time)
    {
        _guard = guard;
        _time = time;
        _connectTimeout = options.Value.ConnectTimeout;
        InnerHandler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            Credentials = null,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.Value.Timeout,
            // No connection is reused: a server of HTTP/1.0, as many cameras are, closes it after its response without notice.
            PooledConnectionLifetime = TimeSpan.Zero,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 0,
            SslOptions = new SslClientAuthenticationOptions
            {
                // A certificate may name addresses from which more certificates and revocation lists are loaded. Those connections would bypass the guard.
                CertificateChainPolicy = new X509ChainPolicy
                {
                    DisableCertificateDownloads = true,
                    RevocationMode = X509RevocationMode.NoCheck,
                    ApplicationPolicy = { new Oid("1.3.6.1.5.5.7.3.1") },
                },
            },
        };
    }

    /// <summary>Makes a request connect to addresses that were already checked for its host.</summary>
    public static void ConnectTo(HttpRequestMessage request, OpenAddresses addresses) => request.Options.Set(Addresses, addresses);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _guard.CheckUrl(request.RequestUri!);
        request.Options.Set(Caller, cancellationToken);
        return base.SendAsync(request, cancellationToken);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Requests are sent asynchronously only.");

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        // After the caller has left, the handler would continue to connect, for use by a later request. Connections to hosts of outsiders are not
        // kept for that.
        context.InitialRequestMessage.Options.TryGetValue(Caller, out var caller);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, caller);
        var addresses = await AddressesAsync(context, ended.Token);
        for (var i = 0; ; i++)
        {
            try
            {
                return await ConnectAsync(new IPEndPoint(addresses[i], context.DnsEndPoint.Port), ended.Token);
            }
            catch (Exception e) when (e is SocketException or TimeoutException && i < Math.Min(addresses.Count, MaxAddresses) - 1)
            {
                // Try the next address.
            }
        }
    }

    /// <summary>The addresses that were checked when the request was made; if there are none, they are checked now.</summary>
    private async Task<IReadOnlyList<IPAddress>> AddressesAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        context.InitialRequestMessage.Options.TryGetValue(Addresses, out var open) && open.Host == HostPattern.Normalize(context.DnsEndPoint.Host)
            ? open.Addresses
            : await _guard.ResolveAsync(context.DnsEndPoint.Host, caller: null, cancellationToken);

    private async Task<Stream> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var timeout = new CancellationTokenSource(_connectTimeout, _time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await socket.ConnectAsync(endpoint, ended.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException("The connection timed out.");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
