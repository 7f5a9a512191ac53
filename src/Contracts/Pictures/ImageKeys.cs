using System.Security.Cryptography;
using System.Text;
using Detection.Contracts.Requests;
using Microsoft.Extensions.Options;

namespace Detection.Contracts.Pictures;

/// <summary>
/// Makes the keys of pictures: 64 lower-case hex digits. Without a secret, the key is the SHA-256 of the bytes. With a secret
/// (<see cref="ImageKeyOptions.Secret"/>) a key belongs to a caller: 24 bytes of an HMAC-SHA256 over the picture and 8 bytes of an HMAC-SHA256 over
/// these, both with keys that are derived from the secret and the caller's name. The second part shows whose key it is, without the picture.
/// </summary>
public sealed class ImageKeys
{
    private const int PictureBytes = 24;

    private readonly byte[]? _secret;

    /// <summary>Reads the secret from the settings.</summary>
    public ImageKeys(IOptions<ImageKeyOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var secret = options.Value.Secret;
        _secret = string.IsNullOrEmpty(secret) ? null : Encoding.UTF8.GetBytes(secret);
    }

    /// <summary>The key of a picture.</summary>
    /// <param name="picture">The encoded picture.</param>
    /// <param name="caller">The caller that sends it; <see langword="null"/> for a caller without a name.</param>
    public string Of(ReadOnlySpan<byte> picture, string? caller)
    {
        Span<byte> key = stackalloc byte[SHA256.HashSizeInBytes];
        Write(picture, caller, key);
        return Convert.ToHexStringLower(key);
    }

    /// <summary>Whether a picture is the one that <paramref name="imageKey"/> names.</summary>
    /// <param name="imageKey">The key under which the picture was found.</param>
    /// <param name="picture">The encoded picture.</param>
    /// <param name="caller">The caller that sent it; <see langword="null"/> for a caller without a name.</param>
    public bool Matches(string imageKey, ReadOnlySpan<byte> picture, string? caller)
    {
        ArgumentNullException.ThrowIfNull(imageKey);
        Span<byte> key = stackalloc byte[SHA256.HashSizeInBytes];
        Write(picture, caller, key);
        Span<char> text = stackalloc char[RequestKey.ImageKeyLength];
        return Convert.TryToHexStringLower(key, text, out _) && text.SequenceEqual(imageKey);
    }

    /// <summary>
    /// Whether <paramref name="caller"/> may read the picture and the results of <paramref name="imageKey"/>. Without a secret every caller may read
    /// everything.
    /// </summary>
    /// <param name="imageKey">A key, in any form.</param>
    /// <param name="caller">The caller; <see langword="null"/> for a caller without a name.</param>
    public bool MayRead(string imageKey, string? caller)
    {
        ArgumentNullException.ThrowIfNull(imageKey);
        if (!RequestKey.IsImageKey(imageKey))
        {
            return false;
        }

        if (_secret is null)
        {
            return true;
        }

        Span<byte> owner = stackalloc byte[SHA256.HashSizeInBytes];
        var key = Convert.FromHexString(imageKey);
        HMACSHA256.HashData(KeyFor("owner", caller), key.AsSpan(0, PictureBytes), owner);
        return CryptographicOperations.FixedTimeEquals(owner[..(key.Length - PictureBytes)], key.AsSpan(PictureBytes));
    }

    /// <summary>
    /// A mark with which the processes of a cluster compare how they make image keys. Two processes have the same mark when they have the same
    /// secret, or both have none. The mark does not reveal the secret.
    /// </summary>
    /// <param name="clusterId">The cluster's id.</param>
    public string MarkOf(string clusterId) => _secret is null ? "none" : Convert.ToHexStringLower(KeyFor("mark", clusterId));

    private void Write(ReadOnlySpan<byte> picture, string? caller, Span<byte> key)
    {
        if (_secret is null)
        {
            SHA256.HashData(picture, key);
            return;
        }

        Span<byte> owner = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(KeyFor("picture", caller), picture, key);
        HMACSHA256.HashData(KeyFor("owner", caller), key[..PictureBytes], owner);
        owner[..(key.Length - PictureBytes)].CopyTo(key[PictureBytes..]);
    }

    /// <summary>A key for one purpose and caller. The name of a caller contains no line end, so two pairs never give the same text.</summary>
    private byte[] KeyFor(string purpose, string? caller) => HMACSHA256.HashData(_secret!, Encoding.UTF8.GetBytes($"{purpose}\n{caller}"));
}
