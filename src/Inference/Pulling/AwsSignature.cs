using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Detection.Inference.Pulling;

/// <summary>
/// Signature version 4 of a GET request without a body,
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Google Cloud Storage accepts it with HMAC keys.
/// </summary>
/// <param name="Access">Id of the access key.</param>
/// <param name="Secret">The secret access key.</param>
/// <param name="Session">The session token; <see langword="null"/> for a permanent key.</param>
/// <param name="Region">The region.</param>
/// <param name="Time">The clock.</param>
internal sealed record AwsSignature(string Access, string Secret, string? Session, string Region, TimeProvider Time)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Unsigned = "UNSIGNED-PAYLOAD";

    /// <summary>Reads <c>ACCESS:SECRET</c> or <c>ACCESS:SECRET:SESSION</c>; <see langword="null"/> for other text.</summary>
    public static AwsSignature? Of(string? token, string region, TimeProvider time) =>
        token?.Split(':', 3) is [var access, var secret, .. var session] ? new(access, secret, session is [var one] ? one : null, region, time) : null;

    /// <summary>Adds the signature to a request.</summary>
    public void Sign(HttpRequestMessage request)
    {
        var now = Time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal)
        {
            ["host"] = request.RequestUri!.Authority,
            ["x-amz-content-sha256"] = Unsigned,
            ["x-amz-date"] = now,
        };
        if (Session is not null)
        {
            headers["x-amz-security-token"] = Session;
        }

        foreach (var (name, value) in headers.Where(static header => header.Key != "host"))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var names = string.Join(';', headers.Keys);
        var canonical = $"GET\n{request.RequestUri.AbsolutePath}\n\n{string.Concat(headers.Select(static header => $"{header.Key}:{header.Value}\n"))}\n{names}\n{Unsigned}";
        var scope = $"{now[..8]}/{Region}/s3/aws4_request";
        var text = $"{Algorithm}\n{now}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Hash(Hash(Hash(Hash(Encoding.UTF8.GetBytes("AWS4" + Secret), now[..8]), Region), "s3"), "aws4_request");
        request.Headers.TryAddWithoutValidation("Authorization", $"{Algorithm} Credential={Access}/{scope}, SignedHeaders={names}, Signature={Convert.ToHexStringLower(Hash(key, text))}");
    }

    private static byte[] Hash(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
