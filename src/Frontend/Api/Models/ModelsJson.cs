using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;
using Detection.Contracts.Cluster;

namespace Detection.Frontend.Api.Models;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters = [typeof(CamelCaseEnumConverter<PullState>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelBody))]
[JsonSerializable(typeof(ModelsBody))]
[JsonSerializable(typeof(PullBody))]
[JsonSerializable(typeof(PullStateBody))]
internal sealed partial class ModelsJson : JsonSerializerContext;
