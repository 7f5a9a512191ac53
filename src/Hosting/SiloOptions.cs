using System.ComponentModel.DataAnnotations;

namespace Detection.Hosting;

/// <summary>Name and addresses of the silo: section <c>Detection:Silo</c>.</summary>
public sealed class SiloOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Silo";

    /// <summary>Name of the silo, unique in the cluster. Keep it the same when the silo restarts. Default: machine name and port.</summary>
    [RegularExpression("[A-Za-z0-9._-]{1,100}", ErrorMessage = "The setting '{0}' must be 1 to 100 letters, digits, '.', '_' and '-'.")]
    public string? Name { get; set; }

    /// <summary>Port for other silos; 0 for any free port. Default: 11111, or the next free port.</summary>
    [Range(0, 65535)]
    public int? Port { get; set; }

    /// <summary>Port for clients; 0 for any free port. Default: 30000, or the next free port.</summary>
    [Range(0, 65535)]
    public int? GatewayPort { get; set; }

    /// <summary>
    /// IP address at which other processes reach this silo. Default: the loopback address when Redis is on this machine, otherwise the first
    /// address of this machine.
    /// </summary>
    public string? AdvertisedAddress { get; set; }
}
