using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>Which web pages may use this server from a browser: section <c>Detection:Browsers</c>.</summary>
public sealed class BrowserOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Browsers";

    /// <summary>Allows all hosts, or all origins.</summary>
    internal const string Any = "*";

    /// <summary>
    /// Host names, without a port, that requests may use besides localhost, 127.0.0.1 and [::1]; <c>*</c> for all names. Default: none while
    /// the server listens only on loopback and requires no keys, which protects it against DNS rebinding; otherwise all names.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// Origins (<c>https://app.example.org</c>) whose pages may use the API from a browser (CORS); <c>*</c> for all origins. The pages of this
    /// server are always allowed. Default: none.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Whether pages of an origin may use the API.</summary>
    internal bool AllowsOrigin(string origin) =>
        AllowedOrigins.Any(allowed => allowed == Any || allowed.TrimEnd('/').Equals(origin, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Refuses origins and hosts that are not valid.</summary>
internal sealed class BrowserOptionsValidator : IValidateOptions<BrowserOptions>
{
    public ValidateOptionsResult Validate(string? name, BrowserOptions options)
    {
        string[] faults =
        [
            .. options.AllowedOrigins.Where(static origin => origin is not (BrowserOptions.Any or "null") && !IsOrigin(origin)).Select(static origin =>
                $"The setting '{BrowserOptions.Section}:{nameof(options.AllowedOrigins)}' has '{origin}', which is not a scheme and a host, such as https://app.example.org."),
            .. options.AllowedHosts.Where(static host => host != BrowserOptions.Any && Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown).Select(static host =>
                $"The setting '{BrowserOptions.Section}:{nameof(options.AllowedHosts)}' has '{host}', which is not a name or an address without a port."),
        ];
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri.GetLeftPart(UriPartial.Authority).Equals(text.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
}
