using Microsoft.Extensions.Options;

namespace Detection.Contracts.Security;

/// <summary>The rules that cross settings: TLS needs a certificate and an authority, and the key must belong to the certificate.</summary>
internal sealed class ClusterSecurityOptionsValidator : IValidateOptions<ClusterSecurityOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterSecurityOptions options)
    {
        if (options.Certificate.Length == 0)
        {
            return options.Authority.Length > 0 || options.Key.Length > 0
                ? ValidateOptionsResult.Fail($"{ClusterSecurityOptions.Section} has an authority or a key but no certificate. Set {ClusterSecurityOptions.Section}:{nameof(options.Certificate)}.")
                : ValidateOptionsResult.Success;
        }

        if (options.Authority.Length == 0)
        {
            return ValidateOptionsResult.Fail($"{ClusterSecurityOptions.Section} has a certificate but no authority. Set {ClusterSecurityOptions.Section}:{nameof(options.Authority)} to the authority whose certificates are accepted.");
        }

        try
        {
            TlsIdentity.Load(options);
            return ValidateOptionsResult.Success;
        }
        catch (InvalidDataException e)
        {
            return ValidateOptionsResult.Fail(e.Message);
        }
    }
}
