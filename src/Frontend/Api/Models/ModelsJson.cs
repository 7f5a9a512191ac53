using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Frontend.Api.Models;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelBody))]
[JsonSerializable(typeof(ModelsBody))]
internal sealed partial class ModelsJson : JsonSerializerContext;
