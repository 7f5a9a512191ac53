using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Detection.Fetching.Tests;

/// <summary>
/// A certificate authority that this process trusts as if the operating system trusted it: OpenSSL's <c>SSL_CERT_FILE</c>, set before anything is
/// verified. Linux only.
/// </summary>
internal static partial class TestAuthority
{
    private static readonly X509Certificate2 Root = NewAuthority("root.test", issuer: null);

#pragma warning disable CA2255 // The test program is the application here.
    [ModuleInitializer]
    internal static void Trust()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var folder = Directory.CreateTempSubdirectory("detection-ca-").FullName;
        var file = Path.Combine(folder, "root.pem");
        File.WriteAllText(file, Root.ExportCertificatePem());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);

        // Not Environment.SetEnvironmentVariable: OpenSSL reads the process's own.
        if (SetEnvironment("SSL_CERT_FILE", file, 1) != 0 || SetEnvironment("SSL_CERT_DIR", folder, 1) != 0)
        {
            throw new InvalidOperationException("The environment cannot be set.");
        }
    }
#pragma warning restore CA2255

    /// <summary>An intermediate authority below the trusted one, of a name that no certificate store of the machine has seen.</summary>
    public static X509Certificate2 NewIntermediate() => NewAuthority($"{Guid.NewGuid():N}.test", Root);

    /// <summary>A server's certificate.</summary>
    /// <param name="name">The host.</param>
    /// <param name="issuer">The signer; the trusted root by default.</param>
    /// <param name="issuerUrl">Address in the certificate from which its issuer's certificate can be loaded.</param>
    /// <param name="expired">Whether it is no longer valid.</param>
    public static X509Certificate2 NewServer(string name, X509Certificate2? issuer = null, Uri? issuerUrl = null, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        if (issuerUrl is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [issuerUrl.AbsoluteUri]));
        }

        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(
            issuer ?? Root, expired ? now.AddDays(-2) : now.AddHours(-1), expired ? now.AddDays(-1) : now.AddHours(1), RandomNumberGenerator.GetBytes(8));
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null);
    }

    private static X509Certificate2 NewAuthority(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        var now = DateTimeOffset.UtcNow;
        if (issuer is null)
        {
            return request.CreateSelfSigned(now.AddDays(-3), now.AddDays(1));
        }

        using var certificate = request.Create(issuer, now.AddDays(-3), issuer.NotAfter.ToUniversalTime(), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
