using System.Security.Cryptography;
using System.Text;

namespace Detection.Contracts.Security;

/// <summary>
/// What the silos of a cluster ask of each other, as a text that stands in Redis while they run: a proof of the secret, an HMAC-SHA256 of the
/// cluster's id keyed with it, and the SHA-256 of the authority that issued the certificate. A silo that finds one which it does not accept would be
/// refused by the others. It shows neither, and is no protection against those who can write to Redis.
/// </summary>
/// <param name="Own">What this process writes.</param>
/// <param name="Accepted">What this process accepts of others, its own included: several while a secret or an authority changes.</param>
public sealed record ClusterMark(string Own, IReadOnlyList<string> Accepted)
{
    // Apart from what is proved on connections.
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
