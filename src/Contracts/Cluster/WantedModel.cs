using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Storage;

namespace Detection.Contracts.Cluster;

/// <summary>A model that an administrator wants in the cluster, in the hash <see cref="RedisKeys.Wanted"/> under its name. Every silo with a device pulls it.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Source">Where it comes from. The query of a URL may be a secret.</param>
/// <param name="Sha256">SHA-256 of its graph; <see langword="null"/> for what the source has when the first silo pulls it.</param>
/// <param name="Id">Tells this record from others of the name.</param>
/// <param name="WantedAt">When it was written.</param>
public sealed record WantedModel(string Name, string Source, string? Sha256, string Id, DateTimeOffset WantedAt)
{
    /// <summary>What the first silo found at the source; the others pull the same. <see langword="null"/> before that.</summary>
    [JsonIgnore]
    public ModelPin? Pin { get; init; }

    /// <summary>Writes the record as UTF-8 JSON, without <see cref="Pin"/>.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, WantedModelJson.Default.WantedModel);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when it is of another format.</summary>
    public static WantedModel? Deserialize(ReadOnlySpan<byte> json) => StoredJson.TryRead(json, WantedModelJson.Default.WantedModel);
}

/// <summary>One state of a source.</summary>
/// <param name="Revision">Its immutable name, such as a commit; <see langword="null"/> when the source has none.</param>
/// <param name="Sha256">SHA-256 of the graph.</param>
public sealed record ModelPin(string? Revision, string Sha256)
{
    /// <summary>Writes the pin as UTF-8 JSON.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, WantedModelJson.Default.ModelPin);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when it is of another format.</summary>
    public static ModelPin? Deserialize(ReadOnlySpan<byte> json) => StoredJson.TryRead(json, WantedModelJson.Default.ModelPin);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(WantedModel))]
[JsonSerializable(typeof(ModelPin))]
internal sealed partial class WantedModelJson : JsonSerializerContext;
