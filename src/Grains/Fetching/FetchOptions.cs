using System.ComponentModel.DataAnnotations;
using Detection.Contracts.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>Settings of fetching pictures from URLs, section <c>Detection:Fetch</c>.</summary>
public sealed class FetchOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Detection:Fetch";

    /// <summary>Longest time of a whole fetch, waiting and redirects included; a caller's shorter budget goes first. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Longest time of one attempt to connect to one address. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest time of one name lookup. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan ResolveTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Most bytes of a picture, 1 to 256 MiB.</summary>
    [Range(1, 256 * 1024 * 1024)]
    public int MaxBytes { get; set; } = PictureBuffers.DefaultMaxBytes;

    /// <summary>Most redirects that are followed, 0 to 20.</summary>
    [Range(0, 20)]
    public int MaxRedirects { get; set; } = 5;

    /// <summary>Most fetches at the same time in one silo, 1 to 1024; more wait, which counts toward their time. Each may hold <see cref="MaxBytes"/>.</summary>
    [Range(1, 1024)]
    public int MaxConcurrency { get; set; } = 32;

    /// <summary>
    /// Share of <see cref="MaxConcurrency"/> that one named caller may hold, above 0 to 1, as <c>Detection:Queue:CallerShare</c> has it of the
    /// queue: of 32 one caller holds 16 at most, and two 11 each. 1: all. Callers without a name have no such limit.
    /// </summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>The same for one site, that is for one address with its port, whatever names lead to it, so that a slow one does not hold up the others. Of 32 one holds 8 at most.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
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

/// <summary>Refuses addresses, hosts and networks that would make the guard mean something else than was written.</summary>
internal sealed class FetchOptionsValidator : IValidateOptions<FetchOptions>
{
    public ValidateOptionsResult Validate(string? name, FetchOptions options)
    {
        List<string> faults = [];
        foreach (var server in options.NameServers)
        {
            Check(ResolverSettings.TryParseServer(server, out _), $"'{Key(nameof(options.NameServers))}' has '{server}', which is no address such as 10.0.0.53 or 10.0.0.53:53.");
        }

        foreach (var port in options.AllowedPorts)
        {
            Check(port is >= 1 and <= 65535, $"'{Key(nameof(options.AllowedPorts))}' has {port}, which is no port.");
        }

        foreach (var host in options.AllowedHosts.Concat(options.DeniedHosts))
        {
            Check(HostPattern.TryParse(host, out _), $"'{Key(nameof(options.AllowedHosts))}' or '{Key(nameof(options.DeniedHosts))}' has '{host}', which is no host name, address or *.name.");
        }

        foreach (var network in options.AllowedNetworks.Concat(options.DeniedNetworks))
        {
            Check(Networks.TryParse(network, out _), $"'{Key(nameof(options.AllowedNetworks))}' or '{Key(nameof(options.DeniedNetworks))}' has '{network}', which is no network such as 10.1.0.0/16 and no address.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(static fault => $"The setting {fault}"));

        static string Key(string setting) => $"{FetchOptions.Section}:{setting}";

        void Check(bool good, string fault)
        {
            if (!good)
            {
                faults.Add(fault);
            }
        }
    }
}
