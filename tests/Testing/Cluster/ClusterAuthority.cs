using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Detection.Testing;

/// <summary>A certificate authority that issues the certificates of a cluster's processes, as PEM files in its own folder.</summary>
public sealed class ClusterAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly string _folder = Directory.CreateTempSubdirectory("authority").FullName;

    public ClusterAuthority()
    {
        var request = new CertificateRequest("CN=Cluster authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = DateTimeOffset.UtcNow;
        _certificate = request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
        File.WriteAllText(Path, _certificate.ExportCertificatePem());
    }

    /// <summary>PEM file with the authority's certificate.</summary>
    public string Path => System.IO.Path.Combine(_folder, "ca.crt");

    /// <summary>Settings of a process with a new certificate of this authority.</summary>
    /// <param name="name">Name of the files, NAME.crt and NAME.key, which are overwritten.</param>
    /// <param name="expired">Whether the certificate expired an hour ago.</param>
    public Dictionary<string, string?> Issue(string name, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        // All authorities here have the same name, as an old authority and its successor often have; the key identifier distinguishes them.
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var certificate = request.Create(_certificate, now.AddDays(-1), expired ? now.AddHours(-1) : now.AddDays(1), RandomNumberGenerator.GetBytes(16));
        var path = System.IO.Path.Combine(_folder, name);
        File.WriteAllText($"{path}.key", key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText($"{path}.crt", certificate.ExportCertificatePem());
        return new Dictionary<string, string?>
        {
            [DetectionSettings.Certificate] = $"{path}.crt",
            [DetectionSettings.CertificateKey] = $"{path}.key",
            [DetectionSettings.Authority] = Path,
        };
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
