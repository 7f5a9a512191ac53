using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Manifest;

/// <summary>Enum values in lower case: <c>float32</c>, <c>uint8</c>, <c>cxcywh</c>.</summary>
internal sealed class LowerCase : JsonNamingPolicy
{
    public override string ConvertName(string name) => name.ToLowerInvariant();
}

/// <summary>Enum values by name, in lower case.</summary>
internal sealed class LowerCaseEnum<T>() : JsonStringEnumConverter<T>(new LowerCase(), allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>Enum values by name, in camel case.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    Converters =
    [
        typeof(CamelCaseEnum<ResizeMode>), typeof(LowerCaseEnum<ChannelOrder>), typeof(LowerCaseEnum<TensorLayout>),
        typeof(LowerCaseEnum<TensorElement>), typeof(LowerCaseEnum<ScoreActivation>), typeof(LowerCaseEnum<BackgroundClass>),
        typeof(LowerCaseEnum<BoxFormat>), typeof(LowerCaseEnum<BoxUnit>),
    ])]
[JsonSerializable(typeof(ModelManifest))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
