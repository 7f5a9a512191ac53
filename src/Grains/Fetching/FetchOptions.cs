using System.ComponentModel.DataAnnotations;
using Detection.Contracts.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>Fetching of pictures from URLs: section <c>Detection:Fetch</c>.</summary>
public sealed class FetchOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Detection:Fetch";

    /// <summary>Time limit of a whole fetch, including waiting and redirects; a caller's shorter budget applies instead. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Time limit of one attempt to connect to one address. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Time limit of one name lookup. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan ResolveTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Maximum size of a picture, 1 to 256 MiB.</summary>
    [Range(1, 256 * 1024 * 1024)]
    public int MaxBytes { get; set; } = PictureBuffers.DefaultMaxBytes;

    /// <summary>Maximum number of redirects, 0 to 20.</summary>
    [Range(0, 20)]
    public int MaxRedirects { get; set; } = 5;

    /// <summary>
    /// Maximum number of concurrent fetches in one silo, 1 to 1024. Further ones wait, and the wait counts toward their time limit. Each may use
    /// <see cref="MaxBytes"/> of memory.
    /// </summary>
    [Range(1, 1024)]
    public int MaxConcurrency { get; set; } = 32;

    /// <summary>
    /// Share of <see cref="MaxConcurrency"/> that one named caller may use, above 0 to 1, calculated as <c>Detection:Queue:CallerShare</c>: of 32,
    /// one caller uses 16 at most, and two use 11 each. 1: all. Callers without a name have no such limit.
    /// </summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double CallerShare { get; set; } = 0.5;

    /// <summary>
    /// The same for one site, which is one address with its port, whichever names lead to it, so that a slow site does not delay the others. Of 32,
    /// one uses 8 at most.
    /// </summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double SiteShare { get; set; } = 0.25;

    /// <summary>Name servers, as <c>address</c> or <c>address:port</c>; those of the operating system when there are none.</summary>
    public IList<string> NameServers { get; } = [];

    /// <summary>Sent as <c>User-Agent</c>; many public servers refuse requests without one.</summary>
    public string UserAgent { get; set; } = "DetectionPictureFetcher/1.0";

    /// <summary>
    /// Whether addresses of the public internet may be fetched. With <see langword="false"/>, only <see cref="AllowedHosts"/> and
    /// <see cref="AllowedNetworks"/> are allowed.
    /// </summary>
    public bool AllowInternet { get; set; } = true;

    /// <summary>Ports that are allowed, besides 80 and 443.</summary>
    public IList<int> AllowedPorts { get; } = [];

    /// <summary>
    /// Hosts that are allowed at any address, including private networks: a name or address, or <c>*.name</c> for all names below a name, not the
    /// name itself.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Networks (<c>10.1.0.0/16</c>) or addresses that are allowed although they are not public.</summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>Hosts that are always refused, in the form of <see cref="AllowedHosts"/>.</summary>
    public IList<string> DeniedHosts { get; } = [];

    /// <summary>Networks that are always refused, for example the public addresses of the own organisation.</summary>
    public IList<string> DeniedNetworks { get; } = [];
}

/// <summary>Refuses addresses, hosts and networks that the guard would not understand as written.</summary>
internal sealed class FetchOptionsValidator : IValidateOptions<FetchOptions>
{
    public ValidateOptionsResult Validate(string? name, FetchOptions options)
    {
        List<string> faults = [];
        foreach (var server in options.NameServers)
        {
            Check(ResolverSettings.TryParseServer(server, out _), $"'{Key(nameof(options.NameServers))}' has '{server}'. Use an address such as 10.0.0.53 or 10.0.0.53:53.");
        }

        foreach (var port in options.AllowedPorts)
        {
            Check(port is >= 1 and <= 65535, $"'{Key(nameof(options.AllowedPorts))}' has {port}. Use a port from 1 to 65535.");
        }

        foreach (var host in options.AllowedHosts.Concat(options.DeniedHosts))
        {
            Check(HostPattern.TryParse(host, out _), $"'{Key(nameof(options.AllowedHosts))}' or '{Key(nameof(options.DeniedHosts))}' has '{host}'. Use a host name, an address or *.name.");
        }

        foreach (var network in options.AllowedNetworks.Concat(options.DeniedNetworks))
        {
            Check(Networks.TryParse(network, out _), $"'{Key(nameof(options.AllowedNetworks))}' or '{Key(nameof(options.DeniedNetworks))}' has '{network}'. Use a network such as 10.1.0.0/16, or an address.");
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
