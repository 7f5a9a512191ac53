using Detection.Grains.Fetching;
using Detection.Inference.Pulling;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Pulling;

/// <summary>Refuses hosts and networks that the guard would not understand as written, and servers that are not addresses.</summary>
internal sealed class PullOptionsValidator : IValidateOptions<PullOptions>
{
    public ValidateOptionsResult Validate(string? name, PullOptions options)
    {
        List<string> faults =
        [
            .. options.AllowedHosts.Where(static host => !HostPattern.TryParse(host, out _))
                .Select(static host => $"The setting '{PullOptions.Section}:{nameof(options.AllowedHosts)}' has '{host}'. Use a host name, an address or *.name."),
            .. options.AllowedNetworks.Where(static network => !Networks.TryParse(network, out _))
                .Select(static network => $"The setting '{PullOptions.Section}:{nameof(options.AllowedNetworks)}' has '{network}'. Use a network such as 10.1.0.0/16, or an address."),
            .. options.AllowedPorts.Where(static port => port is < 1 or > 65535)
                .Select(static port => $"The setting '{PullOptions.Section}:{nameof(options.AllowedPorts)}' has {port}. Use a port from 1 to 65535."),
            .. options.Tokens.Where(static token => token.Value.Host.Length == 0 || token.Value.Token.Length == 0)
                .Select(static token => $"The setting '{PullOptions.Section}:{nameof(options.Tokens)}:{token.Key}' needs a Host and a Token."),
        ];
        foreach (var (setting, address) in new (string, Uri?)[]
        {
            (nameof(options.HuggingFace), options.HuggingFace), (nameof(options.S3), options.S3), (nameof(options.AzureBlob), options.AzureBlob), (nameof(options.GoogleStorage), options.GoogleStorage),
        })
        {
            if (address is not null && (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https")))
            {
                faults.Add($"The setting '{PullOptions.Section}:{setting}' is '{address}'. Use an address such as https://store.example.org.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
