using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>The addresses of a host that the egress guard has checked.</summary>
/// <param name="Host">The host.</param>
/// <param name="Addresses">Its addresses, at least one; connections to all of them are allowed.</param>
/// <param name="Port">The port of the URL.</param>
internal sealed record OpenAddresses(string Host, IReadOnlyList<IPAddress> Addresses, int Port)
{
    /// <summary>
    /// The site whose share of the places a connection uses: the first address with its port, whichever names lead to it. For an IPv6 address it is
    /// the 64-bit network, because one machine has all of it.
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
/// Decides where this cluster connects to for outsiders. It checks the address that is then connected to
/// (<see cref="ResolveAsync(Uri, string, CancellationToken)"/>), so that no spelling of a host and no name server can bypass it.
/// </summary>
internal sealed class EgressGuard
{
    private const int MaxUrlLength = 8 * 1024;

    // Longer names do not exist, and the resolver does not accept them.
    private const int MaxHostLength = 255;

    // The same sentence for every refusal by host or address, and for names that do not exist: otherwise the answers would reveal which names exist
    // inside the network.
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

    /// <summary>Checks the URL itself. The addresses of its host are checked when it is connected to.</summary>
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

    /// <summary>The host of a URL as <see cref="Uri.IdnHost"/> returns it; empty when the host cannot exist.</summary>
    public static string HostOf(Uri url)
    {
        try
        {
            return url.IdnHost;
        }
        catch (UriFormatException)
        {
            // Invalid letters in a name cause an exception here, not when the URL is parsed.
            return "";
        }
    }

    /// <summary>Checks a URL and resolves its host. Connect to the returned addresses, and do not resolve the name again.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="caller">The caller; <see langword="null"/> for a caller without a name.</param>
    /// <param name="cancellationToken">Cancels the lookup.</param>
    /// <inheritdoc cref="ResolveAsync(string, string, CancellationToken)"/>
    public async Task<OpenAddresses> ResolveAsync(Uri url, string? caller, CancellationToken cancellationToken)
    {
        CheckUrl(url);
        return new OpenAddresses(HostPattern.Normalize(url.IdnHost), await ResolveAsync(url.IdnHost, caller, cancellationToken), url.Port);
    }

    /// <summary>The addresses of a host; connections to all of them are allowed. Connect to these, and do not resolve the name again.</summary>
    /// <param name="idnHost">The host of a URL, as <see cref="Uri.IdnHost"/> gives it.</param>
    /// <param name="caller">The caller; <see langword="null"/> for a caller without a name.</param>
    /// <param name="cancellationToken">Cancels the lookup.</param>
    /// <exception cref="EgressRefusedException">There is no such host, or one of its addresses is not allowed.</exception>
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
                // Refused even if other addresses are allowed: a name that also leads inside is not trusted.
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
