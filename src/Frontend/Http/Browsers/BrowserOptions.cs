using System.ComponentModel.DataAnnotations;

namespace Detection.Frontend.Http.Browsers;

/// <summary>Which web pages may use this server from a browser: section <c>Detection:Browsers</c>.</summary>
public sealed class BrowserOptions : IValidatableObject
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

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var origin in AllowedOrigins.Where(static origin => origin is not (Any or "null") && !IsOrigin(origin)))
        {
            yield return new ValidationResult($"The setting '{Section}:{nameof(AllowedOrigins)}' has '{origin}', which is not a scheme and a host, such as https://app.example.org.", [nameof(AllowedOrigins)]);
        }

        foreach (var host in AllowedHosts.Where(static host => host != Any && Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown))
        {
            yield return new ValidationResult($"The setting '{Section}:{nameof(AllowedHosts)}' has '{host}', which is not a name or an address without a port.", [nameof(AllowedHosts)]);
        }
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri.GetLeftPart(UriPartial.Authority).Equals(text.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
}
