using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Frontend.Protocols.DeepStack;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DeepStackBody))]
[JsonSerializable(typeof(DeepStackFailure))]
[JsonSerializable(typeof(DeepStackModels))]
[JsonSerializable(typeof(DeepStackPing))]
internal sealed partial class DeepStackJson : JsonSerializerContext;
