using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Detection.Hosting.Health;

/// <summary>Whether a process can do its work, and what is wrong.</summary>
/// <param name="Status">healthy, degraded (works, but something is wrong) or unhealthy.</param>
/// <param name="Reasons">What is wrong, one sentence each.</param>
internal sealed record HealthBody(HealthStatus Status, IReadOnlyList<string> Reasons)
{
    /// <summary>Key of the reasons in the data of a result.</summary>
    private const string ReasonsKey = "reasons";

    /// <summary>The result of a check with its reasons.</summary>
    public static HealthCheckResult Result(HealthStatus status, IReadOnlyList<string> reasons) =>
        new(status, string.Join(' ', reasons), data: new Dictionary<string, object> { [ReasonsKey] = reasons });

    /// <summary>The combined result of all checks.</summary>
    public static HealthBody Of(HealthReport report) => new(
        report.Status,
        [.. report.Entries.Values.SelectMany(static entry =>
            entry.Data.TryGetValue(ReasonsKey, out var reasons) ? (IEnumerable<string>)reasons
            : entry.Description is { Length: > 0 } description ? [description]
            : entry.Exception is { } exception ? [exception.Message]
            : [])]);
}

/// <summary>The JSON of the health endpoints.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<HealthStatus>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthBody))]
internal sealed partial class HealthJson : JsonSerializerContext;
