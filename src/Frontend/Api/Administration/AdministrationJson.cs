using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;

namespace Detection.Frontend.Api.Administration;

/// <summary>The JSON of administration.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<RetryOutcome>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RetryBody))]
[JsonSerializable(typeof(DrainBody))]
[JsonSerializable(typeof(DeadLettersBody))]
internal sealed partial class AdministrationJson : JsonSerializerContext;
