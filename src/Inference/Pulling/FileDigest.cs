using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Detection.Inference.Pulling;

/// <summary>What the bytes of a file must hash to.</summary>
/// <param name="Hex">The hash, lower-case hex digits.</param>
/// <param name="IsGitBlob">Whether it is the SHA-1 of a git blob (its header <c>blob LENGTH\0</c> and the bytes) and not the SHA-256 of the bytes.</param>
internal sealed partial record FileDigest(string Hex, bool IsGitBlob = false)
{
    /// <summary>Whether a text is a SHA-256 in hex digits.</summary>
    public static bool IsSha256(string text) => Sha256().IsMatch(text);

    /// <summary>The SHA-256 of bytes.</summary>
    public static string OfBytes(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The SHA-256 of a file.</summary>
    public static async Task<string> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    /// <summary>Whether bytes have the hash.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes)
    {
        if (!IsGitBlob)
        {
            return OfBytes(bytes) == Hex;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Header(bytes.Length));
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset()) == Hex;
    }

    /// <summary>The hash of a file, of the same kind.</summary>
    public async Task<string> FindAsync(string path, CancellationToken cancellationToken)
    {
        if (!IsGitBlob)
        {
            return await OfFileAsync(path, cancellationToken);
        }

        await using var file = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Header(file.Length));
        var buffer = new byte[128 * 1024];
        for (int read; (read = await file.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Header(long length) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {length}\0"));

    [GeneratedRegex(@"\A[0-9a-fA-F]{64}\z")]
    private static partial Regex Sha256();
}
