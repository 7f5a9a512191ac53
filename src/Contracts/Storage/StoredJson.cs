using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Detection.Contracts.Storage;

/// <summary>Reads JSON that processes of the cluster store in Redis.</summary>
public static class StoredJson
{
    /// <summary>The value; <see langword="null"/> when the bytes are of another format, as those of another version during a rolling upgrade.</summary>
    public static T? TryRead<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
