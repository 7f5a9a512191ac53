using Detection.Contracts.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>Settings of fetching pictures from URLs, section <c>Detection:Fetch</c>.</summary>
public sealed class FetchOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Detection:Fetch";

    /// <summary>Longest time of a whole fetch, waiting and redirects included; a caller's shorter budget goes first. Above 0, at most 1 minute.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Longest time of one attempt to connect to one address. Above 0.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest time of one name lookup. Above 0.</summary>
    public TimeSpan ResolveTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Most bytes of a picture, 1 to 256 MiB.</summary>
    public int MaxBytes { get; set; } = PictureBuffers.DefaultMaxBytes;

    /// <summary>Most redirects that are followed, 0 to 20.</summary>
    public int MaxRedirects { get; set; } = 5;

    /// <summary>Most fetches at the same time in one silo, 1 to 1024; more wait, which counts toward their time. Each may hold <see cref="MaxBytes"/>.</summary>
    public int MaxConcurrency { get; set; } = 32;

    /// <summary>
    /// Share of <see cref="MaxConcurrency"/> that one named caller may hold, above 0 to 1, as <c>Detection:Queue:CallerShare</c> has it of the
    /// queue: of 32 one caller holds 16 at most, and two 11 each. 1: all. Callers without a name have no such limit.
    /// </summary>
    public double CallerShare { get; set; } = 0.5;

    /// <summary>The same for one site, that is for one address with its port, whatever names lead to it, so that a slow one does not hold up the others. Of 32 one holds 8 at most.</summary>
    public double SiteShare { get; set; } = 0.25;

    /// <summary>Name servers to ask, as <c>address</c> or <c>address:port</c>; those of the operating system when there are none.</summary>
    public IList<string> NameServers { get; } = [];

    /// <summary>Sent as <c>User-Agent</c>; many public servers refuse requests without.</summary>
    public string UserAgent { get; set; } = "DetectionPictureFetcher/1.0";

    /// <summary>
    /// Whether addresses of the public internet may be fetched. <see langword="false"/> leaves <see cref="AllowedHosts"/> and
    /// <see cref="AllowedNetworks"/> only.
    /// </summary>
    public bool AllowInternet { get; set; } = true;

    /// <summary>Ports that may be connected to, besides 80 and 443.</summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>
    /// Hosts that may be fetched from wherever they lead, private networks included: a name or address, or <c>*.name</c> for
    /// everything below a name (not the name itself).
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Networks (<c>10.1.0.0/16</c>) or addresses that may be connected to although they are not public.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>Hosts that are never fetched from, whatever else is allowed; written as <see cref="AllowedHosts"/>.</summary>
    public IList<string> DeniedHosts { get; } = [];

    /// <summary>Networks that are never connected to, whatever else is allowed: the own public addresses, for example.</summary>
    public IList<string> DeniedNetworks { get; } = [];
}

/// <summary>Refuses to start with settings that would make the guard mean something else than was written.</summary>
internal sealed class FetchOptionsValidator : IValidateOptions<FetchOptions>
{
    public ValidateOptionsResult Validate(string? name, FetchOptions options)
    {
        List<string> faults = [];
        Check(IsTimeout(options.Timeout), "Timeout must be above 0 and at most 1 minute.");
        Check(IsTimeout(options.ConnectTimeout), "ConnectTimeout must be above 0 and at most 1 minute.");
        Check(IsTimeout(options.ResolveTimeout), "ResolveTimeout must be above 0 and at most 1 minute.");
        Check(options.MaxBytes is >= 1 and <= 256 * 1024 * 1024, "MaxBytes must be 1 to 268435456.");
        Check(options.MaxRedirects is >= 0 and <= 20, "MaxRedirects must be 0 to 20.");
        Check(options.MaxConcurrency is >= 1 and <= 1024, "MaxConcurrency must be 1 to 1024.");
        Check(options.CallerShare is > 0 and <= 1, "CallerShare must be above 0 and at most 1.");
        Check(options.SiteShare is > 0 and <= 1, "SiteShare must be above 0 and at most 1.");
        foreach (var server in options.NameServers)
        {
            Check(ResolverSettings.TryParseServer(server, out _), $"NameServers: '{server}' is not an address as 10.0.0.53 or 10.0.0.53:53.");
        }

        foreach (var port in options.AllowedPorts)
        {
            Check(port is >= 1 and <= 65535, $"AllowedPorts: {port} is not a port.");
        }

        foreach (var host in options.AllowedHosts.Concat(options.DeniedHosts))
        {
            Check(HostPattern.TryParse(host, out _), $"AllowedHosts, DeniedHosts: '{host}' is not a host name, an address or *.name.");
        }

        foreach (var network in options.AllowedNetworks.Concat(options.DeniedNetworks))
        {
            Check(Networks.TryParse(network, out _), $"AllowedNetworks, DeniedNetworks: '{network}' is not a network as 10.1.0.0/16 or an address.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(f => $"{FetchOptions.Section}: {f}"));

        void Check(bool good, string fault)
        {
            if (!good)
            {
                faults.Add(fault);
            }
        }
    }

    private static bool IsTimeout(TimeSpan time) => time > TimeSpan.Zero && time <= TimeSpan.FromMinutes(1);
}
