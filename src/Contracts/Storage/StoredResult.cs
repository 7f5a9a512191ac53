using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Orleans.Serialization;

namespace Detection.Contracts.Storage;

/// <summary>Reads results as batchers wrote them into Redis.</summary>
public static class StoredResult
{
    /// <summary>
    /// The result, or <see langword="null"/> when the bytes are none of this request: cut off, overwritten, or of a version of this
    /// program that writes them otherwise. Then there is no result, and the picture is to be looked at again.
    /// </summary>
    public static DetectionResult? TryRead(Serializer<DetectionResult> serializer, in RequestKey key, ReadOnlyMemory<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        try
        {
            return serializer.Deserialize(bytes) is { Boxes: not null } result && result.Model == key.Model ? result : null;
        }
        catch (Exception)
        {
            // Foreign bytes make a serializer throw anything.
            return null;
        }
    }
}
