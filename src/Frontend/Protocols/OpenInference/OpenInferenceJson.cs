using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>The JSON of the Open Inference Protocol, except the answers to inference requests.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(ServerLive))]
[JsonSerializable(typeof(ServerReady))]
[JsonSerializable(typeof(ModelMetadata))]
[JsonSerializable(typeof(ModelReady))]
[JsonSerializable(typeof(OpenInferenceFailure))]
internal sealed partial class OpenInferenceJson : JsonSerializerContext;
