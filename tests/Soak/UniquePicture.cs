using System.Globalization;
using System.Text;

namespace Detection.Soak;

/// <summary>The same pixels under another image key.</summary>
internal static class UniquePicture
{
    /// <summary>
    /// A JPEG with a comment that decoders skip, a PNG with bytes behind its end; anything else, and 0, as it is. The length is the same
    /// for all numbers but 0.
    /// </summary>
    public static byte[] Of(byte[] picture, int number)
    {
        if (number == 0)
        {
            return picture;
        }

        var text = Encoding.ASCII.GetBytes(number.ToString("D10", CultureInfo.InvariantCulture));
        return picture switch
        {
            [0xFF, 0xD8, 0xFF, ..] => [0xFF, 0xD8, 0xFF, 0xFE, 0, (byte)(text.Length + 2), .. text, .. picture.AsSpan(2)],
            [0x89, 0x50, ..] => [.. picture, .. text],
            _ => picture,
        };
    }
}
