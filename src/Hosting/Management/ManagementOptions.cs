using System.ComponentModel.DataAnnotations;

namespace Detection.Hosting.Management;

/// <summary>What is for those who run the service, not for those who use it: section <c>Detection:Management</c>.</summary>
public sealed class ManagementOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Management";

    /// <summary>
    /// Address of a listener of its own for metrics, status and dashboard, for example <c>http://127.0.0.1:9090</c> or
    /// <c>http://*:9090</c>; they are then not found elsewhere. Default: none, they are where everything is.
    /// </summary>
    public string? Url { get; set; }

    /// <summary>Whether the Orleans dashboard is served at <c>/dashboard</c> by processes that host a silo; default false.</summary>
    public bool OrleansDashboard { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Url is not null && ManagementAddress.Port(Url) is null)
        {
            yield return new ValidationResult($"The setting '{Section}:{nameof(Url)}' is '{Url}'. Use an address with a port above 0, such as http://*:9090.", [nameof(Url)]);
        }
    }
}
