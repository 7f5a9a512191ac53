using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Webhooks;

/// <summary>Signs webhooks according to Standard Webhooks: HMAC-SHA256 over id, timestamp and body.</summary>
internal sealed class WebhookSigner
{
    private const string SecretPrefix = "whsec_";

    private readonly IReadOnlyList<byte[]> _keys;

    public WebhookSigner(IOptions<WebhookOptions> options)
    {
        _keys = TryParse(options.Value.Secret, out var keys) ? keys : [];
    }

    /// <summary>Whether there is a secret.</summary>
    public bool CanSign => _keys.Count > 0;

    /// <summary>The value of <c>webhook-signature</c>.</summary>
    /// <param name="id">The webhook's id, the same in every attempt.</param>
    /// <param name="timestamp">When this attempt is made, in seconds since 1970.</param>
    /// <param name="body">The bytes of the body.</param>
    public string Sign(string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', _keys.Select(key => $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}"));
    }

    /// <summary>Reads the secrets of a setting; none when it is empty.</summary>
    public static bool TryParse(string? text, out IReadOnlyList<byte[]> keys)
    {
        var found = new List<byte[]>();
        keys = found;
        foreach (var secret in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var bytes = new byte[secret.Length];
            if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal)
                || !Convert.TryFromBase64String(secret[SecretPrefix.Length..], bytes, out var length)
                || length is < 24 or > 64
                || found.Count == 2)
            {
                return false;
            }

            found.Add(bytes[..length]);
        }

        return true;
    }
}
