using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Api.Batches;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<AnswerSource>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BatchLine))]
internal sealed partial class BatchesJson : JsonSerializerContext;
