using System.Globalization;
using System.Text;

namespace Detection.Soak;

/// <summary>The same pixels with another image key.</summary>
internal static class UniquePicture
{
    /// <summary>
    /// A JPEG gets a comment that decoders skip, and a PNG gets bytes after its end. Other files, and the number 0, stay unchanged. The length is the same
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
