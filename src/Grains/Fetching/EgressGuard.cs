using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>Where a host leads, as the egress guard has checked it.</summary>
/// <param name="Host">The host.</param>
/// <param name="Addresses">Its addresses, at least one; all may be connected to.</param>
/// <param name="Port">The port that is asked for.</param>
internal sealed record OpenAddresses(string Host, IReadOnlyList<IPAddress> Addresses, int Port)
{
    /// <summary>
    /// Whose share of the places a connection takes: the first address with its port, whatever names lead to it; of an IPv6 address its
    /// network of 64 bits, which one machine has for itself.
    /// </summary>
    public string Site
    {
        get
        {
            var address = Addresses[0];
            var place = address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
            return string.Create(CultureInfo.InvariantCulture, $"{place}:{Port}");
        }
    }
}

/// <summary>
/// Decides where this cluster connects to on behalf of strangers. The decision that counts is on the address that is then
/// connected to (<see cref="ResolveAsync(Uri, string, CancellationToken)"/>), so that no spelling of a host and no name server can lead around it.
/// </summary>
internal sealed class EgressGuard
{
    private const int MaxUrlLength = 8 * 1024;

    // No name server knows longer ones, and the resolver takes none.
    private const int MaxHostLength = 255;

    // One sentence for all that is decided by host or address. It is said of names that do not exist too: otherwise the
    // answers would tell which names exist inside.
    private const string ClosedHost = "There is no such host, or pictures may not be fetched from it.";

    private readonly IHostResolver _resolver;
    private readonly TimeProvider _time;
    private readonly TimeSpan _resolveTimeout;
    private readonly bool _allowInternet;
    private readonly HashSet<int> _ports;
    private readonly List<HostPattern> _allowedHosts;
    private readonly List<HostPattern> _deniedHosts;
    private readonly List<IPNetwork> _allowedNetworks;
    private readonly List<IPNetwork> _deniedNetworks;

    public EgressGuard(IOptions<FetchOptions> options, IHostResolver resolver, TimeProvider time)
    {
        var settings = options.Value;
        _resolver = resolver;
        _time = time;
        _resolveTimeout = settings.ResolveTimeout;
        _allowInternet = settings.AllowInternet;
        _ports = [80, 443, .. settings.AllowedPorts];
        _allowedHosts = [.. settings.AllowedHosts.Select(ParseHost)];
        _deniedHosts = [.. settings.DeniedHosts.Select(ParseHost)];
        _allowedNetworks = [.. settings.AllowedNetworks.Select(ParseNetwork)];
        _deniedNetworks = [.. settings.DeniedNetworks.Select(ParseNetwork)];
    }

    /// <summary>Checks what can be seen on the URL itself. The host's addresses are checked when it is connected to.</summary>
    /// <exception cref="EgressRefusedException">The URL may not be fetched.</exception>
    public void CheckUrl(Uri url)
    {
        var fault = !url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
                ? "Only http and https addresses can be fetched."
            : url.OriginalString.Length > MaxUrlLength ? "The address is too long."
            : HostOf(url).Length is 0 or > MaxHostLength ? "The address names no host."
            : url.UserInfo.Length > 0 ? "Addresses with a user name or password are not fetched."
            : !_ports.Contains(url.Port) ? "Pictures may not be fetched from this port."
            : null;
        if (fault is not null)
        {
            throw new EgressRefusedException(fault, fault);
        }
    }

    /// <summary>The host of a URL as <see cref="Uri.IdnHost"/> gives it; empty when it has none that could exist.</summary>
    public static string HostOf(Uri url)
    {
        try
        {
            return url.IdnHost;
        }
        catch (UriFormatException)
        {
            // Letters that no name may have are noticed here, not when the URL is read.
            return "";
        }
    }

    /// <summary>Checks a URL and finds where it leads. Connect to these addresses, and do not ask for the name again.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="caller">Who wants it; <see langword="null"/> for a caller without a name.</param>
    /// <param name="cancellationToken">Ends the lookup.</param>
    /// <inheritdoc cref="ResolveAsync(string, string, CancellationToken)"/>
    public async Task<OpenAddresses> ResolveAsync(Uri url, string? caller, CancellationToken cancellationToken)
    {
        CheckUrl(url);
        return new OpenAddresses(HostPattern.Normalize(url.IdnHost), await ResolveAsync(url.IdnHost, caller, cancellationToken), url.Port);
    }

    /// <summary>The addresses of a host, all of which may be connected to. Connect to these, and do not ask for the name again.</summary>
    /// <param name="idnHost">The host of a URL, as <see cref="Uri.IdnHost"/> gives it.</param>
    /// <param name="caller">Who wants it; <see langword="null"/> for a caller without a name.</param>
    /// <param name="cancellationToken">Ends the lookup.</param>
    /// <exception cref="EgressRefusedException">There is no such host, or one of its addresses may not be connected to.</exception>
    /// <exception cref="SocketException">The name server did not answer properly.</exception>
    /// <exception cref="TimeoutException">The name server did not answer in time.</exception>
    public async Task<IPAddress[]> ResolveAsync(string idnHost, string? caller, CancellationToken cancellationToken)
    {
        var host = HostPattern.Normalize(idnHost);
        if (_deniedHosts.Exists(pattern => pattern.Matches(host)))
        {
            throw new EgressRefusedException($"{host} is denied by settings.", ClosedHost);
        }

        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await LookUpAsync(host, caller, cancellationToken);
        var isHostAllowed = _allowedHosts.Exists(pattern => pattern.Matches(host));
        for (var i = 0; i < addresses.Length; i++)
        {
            addresses[i] = Networks.Unmap(addresses[i]);
            if (!MayConnectTo(addresses[i], isHostAllowed))
            {
                // Also when other addresses are open: a name that leads inside as well is not a name to be trusted.
                throw new EgressRefusedException($"{host} leads to {addresses[i]}, which is closed.", ClosedHost);
            }
        }

        return addresses;
    }

    private bool MayConnectTo(IPAddress address, bool isHostAllowed) =>
        !Networks.IsMetadata(address)
        && !Networks.AnyOf(_deniedNetworks, address)
        && (isHostAllowed || Networks.AnyOf(_allowedNetworks, address) || (_allowInternet && Networks.IsPublic(address)));

    private async Task<IPAddress[]> LookUpAsync(string host, string? caller, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var addresses = await _resolver.ResolveAsync(host, caller, ended.Token).WaitAsync(_resolveTimeout, _time, cancellationToken);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.NoData);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            throw new EgressRefusedException($"{host} has no address.", ClosedHost);
        }
        finally
        {
            await ended.CancelAsync();
        }
    }

    private static HostPattern ParseHost(string text) =>
        HostPattern.TryParse(text, out var pattern) ? pattern : throw new FormatException($"'{text}' is not a host.");

    private static IPNetwork ParseNetwork(string text) =>
        Networks.TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not a network.");
}
