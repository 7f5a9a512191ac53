using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;

namespace Detection.Frontend.Api.Status;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<BatcherState>), typeof(CamelCaseEnumConverter<DeviceHealth>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusBody))]
internal sealed partial class StatusJson : JsonSerializerContext;
