using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Detection.Frontend.Http.Health;

/// <summary>The JSON of the health endpoints.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<HealthStatus>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthBody))]
internal sealed partial class HealthJson : JsonSerializerContext;
