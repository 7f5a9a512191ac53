namespace Detection.Frontend.Http.Uploads;

/// <summary>Finds the start of a text, which editors and scripts may begin with a byte order mark or white space.</summary>
internal static class TextStart
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Length of the byte order mark and the white space before the text.</summary>
    public static int Of(ReadOnlySpan<byte> bytes)
    {
        var mark = bytes.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        var text = bytes[mark..].IndexOfAnyExcept(" \t\r\n"u8);
        return text < 0 ? bytes.Length : mark + text;
    }
}
