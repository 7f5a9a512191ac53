using System.Security.Cryptography;
using System.Text;

namespace Detection.Contracts.Security;

/// <summary>
/// A text in Redis with which the silos of a cluster compare their security settings: a proof of the secret, which is an HMAC-SHA256 of the cluster's
/// id keyed with it, and the SHA-256 of the authority that issued the certificate. The other silos would refuse a silo that does not accept their
/// mark. The mark reveals neither of them, and does not protect against processes that can write to Redis.
/// </summary>
/// <param name="Own">What this process writes.</param>
/// <param name="Accepted">What this process accepts from others, including its own: several while a secret or an authority changes.</param>
public sealed record ClusterMark(string Own, IReadOnlyList<string> Accepted)
{
    // Must differ from the text that is proved on connections.
    private const string Purpose = "mark of the cluster ";

    internal static ClusterMark Of(string clusterId, byte[][] secrets, TlsIdentity? identity)
    {
        string[] proofs = [.. secrets.Select(secret => Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(Purpose + clusterId))))];
        string[] authorities = identity is null ? [""] : [.. identity.Authorities];
        return new ClusterMark(
            Write(proofs[0], identity?.Authority ?? ""),
            [.. proofs.SelectMany(proof => authorities.Select(authority => Write(proof, authority)))]);
    }

    private static string Write(string proof, string authority) => $"{proof}|{authority}";
}
