using System.Text.Json;
using System.Text.Json.Serialization;
using Detection.Contracts.Models;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Contracts.Cluster;

/// <summary>
/// A model version that silos serve or served, in the hash <see cref="Storage.RedisKeys.Models"/> under its full name. The record outlives the
/// version, so that its results can still be read and requests for it fail with a clear reason.
/// </summary>
/// <param name="Model">The version.</param>
/// <param name="Silo">The silo that wrote this last.</param>
/// <param name="StartedAt">When the process of that silo started.</param>
/// <param name="SeenAt">When that process served the version last.</param>
public sealed record ModelRecord(ModelInfo Model, string Silo, DateTimeOffset StartedAt, DateTimeOffset SeenAt)
{
    /// <summary>The records among the fields of <see cref="Storage.RedisKeys.Models"/>.</summary>
    public static IReadOnlyList<ModelRecord> Read(HashEntry[] fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var records = new List<ModelRecord>(fields.Length);
        foreach (var field in fields)
        {
            if (Deserialize((byte[])field.Value!) is { } record)
            {
                records.Add(record);
            }
        }

        return records;
    }

    /// <summary>Writes the record as UTF-8 JSON.</summary>
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, ModelRecordJson.Default.ModelRecord);

    /// <summary>Reads what <see cref="Serialize"/> wrote; <see langword="null"/> when it is of another format.</summary>
    public static ModelRecord? Deserialize(ReadOnlySpan<byte> json) => StoredJson.TryRead(json, ModelRecordJson.Default.ModelRecord);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ModelRecord))]
internal sealed partial class ModelRecordJson : JsonSerializerContext;
