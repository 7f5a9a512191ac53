namespace Detection.Inference.Pictures;

/// <summary>
/// Finds the markers of a JPEG file exactly as libjpeg finds them, so that no marker is missed: bytes between segments are skipped up to 0xFF and a
/// byte that is neither 0xFF nor 0.
/// </summary>
internal static class JpegMarkers
{
    public const byte Temporary = 0x01;
    public const byte FirstDefined = 0xC0;
    public const byte Progressive = 0xC2;
    public const byte HuffmanTable = 0xC4;
    public const byte Reserved = 0xC8;
    public const byte ArithmeticSequential = 0xC9;
    public const byte ArithmeticProgressive = 0xCA;
    public const byte ArithmeticTable = 0xCC;
    public const byte LastFrame = 0xCF;
    public const byte FirstRestart = 0xD0;
    public const byte LastRestart = 0xD7;
    public const byte StartOfImage = 0xD8;
    public const byte EndOfImage = 0xD9;
    public const byte StartOfScan = 0xDA;
    public const byte RestartInterval = 0xDD;
    public const byte Hierarchical = 0xDE;
    public const byte Expand = 0xDF;
    public const byte FirstReserved = 0xF0;
    public const byte Comment = 0xFE;

    /// <summary>Finds the next marker.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="at">Where to start; afterwards the place after the marker, or the end of the file.</param>
    /// <param name="marker">The marker's second byte.</param>
    public static bool TryFindMarker(ReadOnlySpan<byte> encoded, ref int at, out byte marker)
    {
        while (encoded[at..].IndexOf((byte)0xFF) is >= 0 and var skipped)
        {
            at += skipped;
            var behind = encoded[at..].IndexOfAnyExcept((byte)0xFF);
            if (behind < 0)
            {
                break;
            }

            at += behind + 1;
            marker = encoded[at - 1];
            if (marker != 0)
            {
                return true;
            }
        }

        at = encoded.Length;
        marker = 0;
        return false;
    }

    /// <summary>Whether it is one of the restart markers within the data of a scan.</summary>
    public static bool IsRestart(byte marker) => marker is >= FirstRestart and <= LastRestart;
}
