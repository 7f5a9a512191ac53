using System.ComponentModel.DataAnnotations;

namespace Detection.Contracts.Security;

/// <summary>
/// Requirements for connections to silo and gateway ports: section <c>Detection:ClusterSecurity</c>. It must be the same on every silo, front end and
/// client of a cluster. When nothing is set, these ports accept every connection.
/// </summary>
public sealed class ClusterSecurityOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:ClusterSecurity";

    /// <summary>
    /// A secret that both sides of a connection must prove to have. While it is being changed, two secrets separated by a space: the first is used
    /// for outgoing connections, and both are accepted.
    /// </summary>
    [RegularExpression(@"\S{32,500}( \S{32,500})?", ErrorMessage = "The setting '{0}' must be 32 to 500 characters without spaces, or two such secrets separated by a space, or be empty.")]
    public string Secret { get; set; } = "";

    /// <summary>File with the certificate of this process and those between it and its authority, as PEM or PKCS #12. It turns TLS on.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>File with the key of <see cref="Certificate"/> as PEM; empty when it is in the same file.</summary>
    public string Key { get; set; } = "";

    /// <summary>Password of the key or of the PKCS #12 file.</summary>
    public string Password { get; set; } = "";

    /// <summary>PEM file with certificate authorities. Only certificates of these authorities are accepted.</summary>
    public string Authority { get; set; } = "";
}
