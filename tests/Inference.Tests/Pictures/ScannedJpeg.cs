namespace Detection.Inference.Tests.Pictures;

/// <summary>JPEG files of three components with any number of scans and without coded data, which decoders replace by zeros.</summary>
internal static class ScannedJpeg
{
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="frame">Marker of the frame: 0xC0 baseline, 0xC1 extended, 0xC2 progressive.</param>
    /// <param name="scans">Number of scans, each of all three components.</param>
    /// <param name="hidden">Whether 0xFF 0x00 and a false length are before the frame and before each scan; libjpeg skips them.</param>
    public static byte[] Make(int width, int height, byte frame, int scans, bool hidden)
    {
        byte[] hide = hidden ? [0xFF, 0x00, 0xFE, 0xFE] : [];
        using var file = new MemoryStream();
        var table = new byte[64];
        table.AsSpan().Fill(1);
        file.Write([0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0, .. table]);
        foreach (var kind in (byte[])[0x00, 0x10])
        {
            file.Write([0xFF, 0xC4, 0, 20, kind, 1, .. new byte[15], 0]);
        }

        file.Write([.. hide, 0xFF, frame, 0, 17, 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
        var last = (byte)(frame == 0xC2 ? 0 : 63);
        for (var scan = 0; scan < scans; scan++)
        {
            file.Write([.. hide, 0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, last, 0]);
        }

        file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }
}
