using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;
using Detection.Frontend.Http.Access;

namespace Detection.Frontend.Api.Status;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<BatcherState>), typeof(CamelCaseEnumConverter<DeviceHealth>), typeof(CamelCaseEnumConverter<AdministrationRight>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusBody))]
internal sealed partial class StatusJson : JsonSerializerContext;
