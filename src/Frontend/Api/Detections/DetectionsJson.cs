using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Client;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Api.Detections;

/// <summary>The JSON of answers and of requests that are not answered yet.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<AnswerSource>), typeof(CamelCaseEnumConverter<DetectionStatus>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DetectionBody))]
[JsonSerializable(typeof(TicketBody))]
internal sealed partial class DetectionsJson : JsonSerializerContext;
