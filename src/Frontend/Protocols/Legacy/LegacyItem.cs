using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>An item that the replaced system's front end pushes.</summary>
/// <param name="ImageKey">Key of the hash in which that front end looks for the answer.</param>
/// <param name="ImageUrl">http(s) URL of the picture; also a <c>data:</c> URL, or the picture in base64.</param>
internal sealed record LegacyItem(
    [property: JsonPropertyName("imageKey")] string? ImageKey,
    [property: JsonPropertyName("imageUrl")] string? ImageUrl)
{
    private const int MaxKeyLength = 512;

    /// <summary>Reads an item; <see langword="null"/>, and the fault, when it is not valid.</summary>
    public static LegacyItem? Read(ReadOnlySpan<byte> json, Func<string, bool> isForAnswers, out string? fault)
    {
        LegacyItem? item;
        try
        {
            item = JsonSerializer.Deserialize(json, LegacyJson.Default.LegacyItem);
        }
        catch (JsonException e)
        {
            fault = e.Message;
            return null;
        }

        fault = item is null ? "It is null."
            : string.IsNullOrEmpty(item.ImageKey) || item.ImageKey.Length > MaxKeyLength ? "It has no usable imageKey."
            : !isForAnswers(item.ImageKey) ? "Its imageKey is a key of the cluster or of the list."
            : string.IsNullOrWhiteSpace(item.ImageUrl) ? "It has no imageUrl."
            : null;
        return fault is null ? item : null;
    }
}

[JsonSerializable(typeof(LegacyItem))]
internal sealed partial class LegacyJson : JsonSerializerContext;
