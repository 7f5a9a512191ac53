using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Detection.Contracts.Security;

/// <summary>A process's certificate with its key, and the authorities that it trusts.</summary>
internal sealed class TlsIdentity
{
    private readonly SslStreamCertificateContext _own;
    private readonly X509Certificate2Collection _authorities;
    private readonly byte[] _files;

    private TlsIdentity(SslStreamCertificateContext own, string authority, X509Certificate2Collection authorities, byte[] files)
    {
        Authority = authority;
        _own = own;
        _authorities = authorities;
        _files = files;
    }

    /// <summary>SHA-256 of the authority that the certificate comes from.</summary>
    public string Authority { get; }

    /// <summary>SHA-256 of each authority that is trusted.</summary>
    public IEnumerable<string> Authorities => _authorities.Select(Thumbprint);

    /// <summary>Reads the files that the settings name.</summary>
    /// <exception cref="InvalidDataException">One cannot be read, or the certificate does not come from an authority; the message is a sentence.</exception>
    public static TlsIdentity Load(ClusterSecurityOptions options)
    {
        var certificate = Read(nameof(options.Certificate), options.Certificate);
        var key = options.Key.Length == 0 ? certificate : Read(nameof(options.Key), options.Key);
        var authority = Read(nameof(options.Authority), options.Authority);

        var chain = Parse(nameof(options.Certificate), options.Certificate, () => ParseCertificate(certificate, key, options.Password));
        var authorities = Parse(nameof(options.Authority), options.Authority, () => ParseAuthorities(authority));
        var own = chain[0];
        chain.RemoveAt(0);
        var issuer = Verify(own, chain, authorities, options);
        return new TlsIdentity(SslStreamCertificateContext.Create(own, chain, offline: true), issuer, authorities, Hash(certificate, key, authority));
    }

    /// <summary>Whether the files are unchanged since they were read.</summary>
    /// <exception cref="InvalidDataException">One cannot be read.</exception>
    public bool IsUnchanged(ClusterSecurityOptions options)
    {
        var certificate = Read(nameof(options.Certificate), options.Certificate);
        var key = options.Key.Length == 0 ? certificate : Read(nameof(options.Key), options.Key);
        return Hash(certificate, key, Read(nameof(options.Authority), options.Authority)).AsSpan().SequenceEqual(_files);
    }

    public SslServerAuthenticationOptions ToServer(RemoteCertificateValidationCallback validate) => new()
    {
        ServerCertificateContext = _own,
        ClientCertificateRequired = true,
        CertificateChainPolicy = Policy(_authorities),
        RemoteCertificateValidationCallback = validate,
    };

    public SslClientAuthenticationOptions ToClient(RemoteCertificateValidationCallback validate) => new()
    {
        ClientCertificateContext = _own,
        CertificateChainPolicy = Policy(_authorities),
        RemoteCertificateValidationCallback = validate,
    };

    private static byte[] Read(string setting, string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException($"The file '{path}' of the setting {ClusterSecurityOptions.Section}:{setting} cannot be read: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection Parse(string setting, string path, Func<X509Certificate2Collection> parse)
    {
        try
        {
            return parse();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"The file '{path}' of the setting {ClusterSecurityOptions.Section}:{setting} is not usable: {e.Message}", e);
        }
    }

    /// <summary>The process's certificate first.</summary>
    private static X509Certificate2Collection ParseCertificate(byte[] certificate, byte[] key, string password)
    {
        if (!IsPem(certificate))
        {
            var bag = X509CertificateLoader.LoadPkcs12Collection(certificate, password);
            var owner = bag.FirstOrDefault(static entry => entry.HasPrivateKey) ?? throw new CryptographicException("It has no certificate with a private key.");
            bag.Remove(owner);
            bag.Insert(0, owner);
            return bag;
        }

        var text = Encoding.UTF8.GetString(certificate);
        var keyText = Encoding.UTF8.GetString(key);
        var own = password.Length > 0 ? X509Certificate2.CreateFromEncryptedPem(text, keyText, password) : X509Certificate2.CreateFromPem(text, keyText);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(text);
        chain[0].Dispose();
        chain[0] = OperatingSystem.IsWindows() ? WithStoredKey(own) : own;
        return chain;
    }

    private static X509Certificate2Collection ParseAuthorities(byte[] pem)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(Encoding.UTF8.GetString(pem));
        return authorities.Count > 0 ? authorities : throw new CryptographicException("It has no certificate as PEM.");
    }

    /// <summary>TLS of Windows cannot use a key that is in memory only.</summary>
    private static X509Certificate2 WithStoredKey(X509Certificate2 certificate)
    {
        using (certificate)
        {
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
        }
    }

    /// <returns>SHA-256 of the authority.</returns>
    private static string Verify(X509Certificate2 own, X509Certificate2Collection intermediates, X509Certificate2Collection authorities, ClusterSecurityOptions options)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(authorities) };
        chain.ChainPolicy.ExtraStore.AddRange(intermediates);
        if (!chain.Build(own))
        {
            var faults = string.Join(", ", chain.ChainStatus.Select(static status => status.Status).Distinct());
            throw new InvalidDataException($"The certificate '{own.Subject}' in '{options.Certificate}', valid from {own.NotBefore:u} to {own.NotAfter:u}, is not accepted by the authorities in '{options.Authority}': {faults}.");
        }

        return Thumbprint(chain.ChainElements[^1].Certificate);
    }

    private static string Thumbprint(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256);

    /// <summary>Trusts these authorities only. Downloads nothing that a certificate of an outsider refers to.</summary>
    private static X509ChainPolicy Policy(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private static bool IsPem(byte[] file) => file.AsSpan().IndexOf("-----BEGIN"u8) >= 0;

    private static byte[] Hash(params ReadOnlySpan<byte[]> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            hash.AppendData(SHA256.HashData(file));
        }

        return hash.GetHashAndReset();
    }
}
