using Microsoft.Extensions.Options;

namespace Detection.Hosting.Management;

/// <summary>Endpoints for operators: section <c>Detection:Management</c>.</summary>
public sealed class ManagementOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Management";

    /// <summary>
    /// Separate address for metrics, status and dashboard, for example <c>http://127.0.0.1:9090</c> or <c>http://*:9090</c>. Other addresses do
    /// not serve them then. Default: none; they are served at the same address as the API.
    /// </summary>
    public string? Url { get; set; }

    /// <summary>Whether processes that host a silo serve the Orleans dashboard at <c>/dashboard</c>; default false.</summary>
    public bool OrleansDashboard { get; set; }
}

/// <summary>Refuses an address that is not valid.</summary>
internal sealed class ManagementOptionsValidator : IValidateOptions<ManagementOptions>
{
    public ValidateOptionsResult Validate(string? name, ManagementOptions options) =>
        options.Url is null || ManagementAddress.Port(options.Url) is not null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"The setting '{ManagementOptions.Section}:{nameof(options.Url)}' is '{options.Url}'. Use an address with a port above 0, such as http://*:9090.");
}
