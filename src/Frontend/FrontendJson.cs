using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Client;
using Detection.Contracts.Cluster;
using Detection.Frontend.Api.Batches;
using Detection.Frontend.Api.Detections;
using Detection.Frontend.Api.Models;
using Detection.Frontend.Api.Status;
using Detection.Frontend.Detections;
using Detection.Frontend.Http;
using Detection.Frontend.Http.Health;
using Detection.Frontend.Http.Problems;
using Detection.Frontend.Protocols.DeepStack;
using Detection.Frontend.Protocols.OpenInference;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Detection.Frontend;

/// <summary>All JSON that the front end writes.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(CamelCaseEnumConverter<AnswerSource>), typeof(CamelCaseEnumConverter<DetectionStatus>), typeof(CamelCaseEnumConverter<HealthStatus>), typeof(CamelCaseEnumConverter<BatcherState>), typeof(CamelCaseEnumConverter<DeviceHealth>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DetectionBody))]
[JsonSerializable(typeof(DeepStackBody))]
[JsonSerializable(typeof(DeepStackFailure))]
[JsonSerializable(typeof(DeepStackModels))]
[JsonSerializable(typeof(TicketBody))]
[JsonSerializable(typeof(BatchLine))]
[JsonSerializable(typeof(ModelBody))]
[JsonSerializable(typeof(ModelsBody))]
[JsonSerializable(typeof(HealthBody))]
[JsonSerializable(typeof(StatusBody))]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(ServerLive))]
[JsonSerializable(typeof(ServerReady))]
[JsonSerializable(typeof(ModelMetadata))]
[JsonSerializable(typeof(ModelReady))]
[JsonSerializable(typeof(InferenceFailure))]
[JsonSerializable(typeof(ProblemDescription))]
[JsonSerializable(typeof(Microsoft.AspNetCore.Mvc.ProblemDetails))]
internal sealed partial class FrontendJson : JsonSerializerContext
{
    /// <summary>Makes the framework, the OpenAPI document in the first place, see the types as they are written.</summary>
    public static void Use(JsonOptions options)
    {
        options.SerializerOptions.TypeInfoResolverChain.Insert(0, Default);
        options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
    }
}
