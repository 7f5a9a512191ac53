using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Detection.Testing;

/// <summary>A self-signed certificate for <c>localhost</c> and 127.0.0.1 as PEM files, and the settings that make a client trust it.</summary>
internal sealed class RedisCertificate
{
    private RedisCertificate(string certificate, string key)
    {
        CertificatePath = certificate;
        KeyPath = key;
    }

    public string CertificatePath { get; }

    public string KeyPath { get; }

    public static RedisCertificate Create(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        // It is its own authority: clients trust it as the issuer.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));

        var paths = new RedisCertificate(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        File.WriteAllText(paths.CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(paths.KeyPath, key.ExportPkcs8PrivateKeyPem());
        return paths;
    }
}
