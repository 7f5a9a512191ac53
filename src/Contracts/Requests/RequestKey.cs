using System.Buffers;
using System.Globalization;

namespace Detection.Contracts.Requests;

/// <summary>
/// Identity of a request: the same key always has the same result, so all callers that ask for it share one inference and one cache entry. It is the
/// key of a <see cref="IRequestGrain"/>.
/// </summary>
/// <param name="Model">The model as <c>name@version</c>.</param>
/// <param name="ImageKey">Key of the encoded picture, 64 lower-case hex digits, see <see cref="Pictures.ImageKeys"/>.</param>
/// <param name="Iou">
/// Overlap at which non-max suppression drops the weaker box, above 0 and at most 1; <see langword="null"/> for the model's own.
/// It is part of the key because a result suppressed at one value cannot be turned into that of another.
/// </param>
public readonly record struct RequestKey(string Model, string ImageKey, float? Iou = null)
{
    private const string IouMark = "~iou=";
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Length of an image key in characters.</summary>
    public const int ImageKeyLength = 64;

    /// <summary>The part after the model: the image key and, when it is not the model's own, the IoU.</summary>
    public string Item => Iou is { } iou
        ? string.Create(CultureInfo.InvariantCulture, $"{ImageKey}{IouMark}{iou:R}")
        : ImageKey;

    /// <summary>The grain key, <c>model/item</c>.</summary>
    public override string ToString() => $"{Model}/{Item}";

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not a request key.</exception>
    public static RequestKey Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TryParseItem(text[..slash], text.AsSpan(slash + 1), out var key)
            ? key
            : throw new FormatException($"'{text}' is not a request key.");
    }

    /// <summary>Reads what <see cref="Item"/> wrote, for <paramref name="model"/>.</summary>
    public static bool TryParseItem(string model, ReadOnlySpan<char> item, out RequestKey key)
    {
        key = default;
        if (item.Length < ImageKeyLength || !IsImageKey(item[..ImageKeyLength]))
        {
            return false;
        }

        var imageKey = item[..ImageKeyLength].ToString();
        var rest = item[ImageKeyLength..];
        if (rest.IsEmpty)
        {
            key = new RequestKey(model, imageKey);
            return true;
        }

        if (rest.StartsWith(IouMark, StringComparison.Ordinal)
            && float.TryParse(rest[IouMark.Length..], NumberStyles.Float, CultureInfo.InvariantCulture, out var iou)
            && iou is > 0 and <= 1)
        {
            key = new RequestKey(model, imageKey, iou);
            return true;
        }

        return false;
    }

    /// <summary>Whether <paramref name="text"/> has the form of an image key.</summary>
    public static bool IsImageKey(ReadOnlySpan<char> text) =>
        text.Length == ImageKeyLength && !text.ContainsAnyExcept(HexDigits);
}
