using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Detection.Inference.Pulling;

/// <summary>
/// Signature of a GET request with the key of a storage account,
/// https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key.
/// </summary>
/// <param name="Account">The account.</param>
/// <param name="Key">Its key.</param>
/// <param name="Time">The clock.</param>
internal sealed record AzureSignature(string Account, byte[] Key, TimeProvider Time)
{
    private const int KeyLength = 64;
    private const string Version = "2021-12-02";

    /// <summary>Reads the key of an account in base64; <see langword="null"/> for other text.</summary>
    public static AzureSignature? Of(string account, string token, TimeProvider time)
    {
        var key = new byte[KeyLength + 2];
        return Convert.TryFromBase64String(token, key, out var length) && length == KeyLength ? new(account, key[..length], time) : null;
    }

    /// <summary>Adds the signature to a request.</summary>
    public void Sign(HttpRequestMessage request)
    {
        var date = Time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("x-ms-date", date);
        AddVersion(request);

        // The headers in this order: Content-Encoding, -Language, -Length, -MD5, -Type, Date, If-Modified-Since, If-Match, If-None-Match, If-Unmodified-Since, Range.
        var text = $"GET\n\n\n\n\n\n\n\n\n\n\n{request.Headers.Range}\nx-ms-date:{date}\nx-ms-version:{Version}\n/{Account}{request.RequestUri!.AbsolutePath}";
        request.Headers.TryAddWithoutValidation("Authorization", $"SharedKey {Account}:{Convert.ToBase64String(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(text)))}");
    }

    /// <summary>Adds the version of the API, which tokens of Microsoft Entra need.</summary>
    public static void AddVersion(HttpRequestMessage request) => request.Headers.TryAddWithoutValidation("x-ms-version", Version);
}
