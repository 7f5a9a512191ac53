namespace Detection.Testing;

/// <summary>
/// A JPEG whose blocks of 8 × 8 samples have one colour each, in forms that ordinary encoders do not write: any frame, any sampling, scans of
/// one component or of all, restart markers. It knows its own pixels, so that the tests can compare decoders with them.
/// </summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Colour">Red, green and blue of a pixel; called for the middle of each block.</param>
public sealed record BlockJpeg(int Width, int Height, Func<int, int, (int R, int G, int B)> Colour)
{
    /// <summary>Marker of the frame: 0xC0 baseline, 0xC1 extended, 0xC2 progressive; the others must be refused.</summary>
    public byte Frame { get; init; } = 0xC0;

    /// <summary>Bits of a sample in the header; the data always have 8.</summary>
    public int Precision { get; init; } = 8;

    /// <summary>Horizontal and vertical sampling of luminance and both colours; one component makes it grey.</summary>
    public IReadOnlyList<(int Across, int Down)> Sampling { get; init; } = [(2, 2), (1, 1), (1, 1)];

    /// <summary>Whether all components are in one scan. Progressive files also have scans of one component after it.</summary>
    public bool Interleaved { get; init; } = true;

    /// <summary>Number of units of blocks between two restart markers; 0 for none.</summary>
    public int RestartInterval { get; init; }

    /// <summary>Four squares, red, green, blue and white, row by row.</summary>
    public static BlockJpeg Quadrants(int size) => new(size, size, (x, y) => QuadrantColour(size, x, y));

    /// <summary>The colour of a pixel of <see cref="Quadrants"/>.</summary>
    public static (int R, int G, int B) QuadrantColour(int size, int x, int y) => (x < size / 2, y < size / 2) switch
    {
        (true, true) => (255, 0, 0),
        (false, true) => (0, 255, 0),
        (true, false) => (0, 0, 255),
        _ => (255, 255, 255),
    };

    /// <summary>The file, from the start of the image to its end.</summary>
    public byte[] Encode()
    {
        using var file = new MemoryStream();
        file.Write([0xFF, 0xD8]);
        var table = new byte[64];
        table.AsSpan().Fill(8);
        Segment(file, 0xDB, [0, .. table]);
        var frame = new List<byte> { (byte)Precision, (byte)(Height >> 8), (byte)Height, (byte)(Width >> 8), (byte)Width, (byte)Sampling.Count };
        for (var c = 0; c < Sampling.Count; c++)
        {
            frame.AddRange([(byte)(c + 1), (byte)((Sampling[c].Across << 4) | Sampling[c].Down), 0]);
        }

        Segment(file, Frame, [.. frame]);

        // Sizes of differences from 0 to 11 in 4 bits each; one bit for the end of the other coefficients.
        Segment(file, 0xC4, [0x00, 0, 0, 0, 12, .. new byte[12], .. Enumerable.Range(0, 12).Select(i => (byte)i)]);
        Segment(file, 0xC4, [0x10, 1, .. new byte[15], 0]);
        if (RestartInterval > 0)
        {
            Segment(file, 0xDD, [(byte)(RestartInterval >> 8), (byte)RestartInterval]);
        }

        var progressive = Frame == 0xC2;
        int[] all = [.. Enumerable.Range(0, Sampling.Count)];
        foreach (var components in Interleaved ? [all] : all.Select(c => new[] { c }))
        {
            Scan(file, components, first: 0, last: progressive ? 0 : 63);
        }

        foreach (var component in progressive ? all : [])
        {
            Scan(file, [component], first: 1, last: 63);
        }

        file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }

    private static void Segment(MemoryStream file, byte marker, byte[] body) =>
        file.Write([0xFF, marker, (byte)((body.Length + 2) >> 8), (byte)(body.Length + 2), .. body]);

    private void Scan(MemoryStream file, int[] components, int first, int last)
    {
        Segment(file, 0xDA, [(byte)components.Length, .. components.SelectMany(c => new byte[] { (byte)(c + 1), 0 }), (byte)first, (byte)last, 0]);
        var bits = new BitWriter(file);
        var before = new int[Sampling.Count];
        var units = 0;
        foreach (var blocks in Units(components))
        {
            if (RestartInterval > 0 && units > 0 && units % RestartInterval == 0)
            {
                bits.Flush();
                file.Write([0xFF, (byte)(0xD0 + ((units / RestartInterval - 1) % 8))]);
                Array.Clear(before);
            }

            units++;
            foreach (var (component, x, y) in blocks)
            {
                if (first == 0)
                {
                    var value = Value(component, x, y);
                    Difference(bits, value - before[component]);
                    before[component] = value;
                }

                if (last == 63)
                {
                    bits.Write(0, 1);
                }
            }
        }

        bits.Flush();
    }

    // The blocks of a scan in their order: row by row for one component, unit by unit for several.
    private IEnumerable<IEnumerable<(int Component, int X, int Y)>> Units(int[] components)
    {
        var (across, down) = (Sampling.Max(s => s.Across), Sampling.Max(s => s.Down));
        if (components is [var only])
        {
            var columns = Ceiling(Ceiling(Width * Sampling[only].Across, across), 8);
            var rows = Ceiling(Ceiling(Height * Sampling[only].Down, down), 8);
            return from y in Enumerable.Range(0, rows) from x in Enumerable.Range(0, columns) select new[] { (only, x, y) };
        }

        return from y in Enumerable.Range(0, Ceiling(Height, 8 * down))
               from x in Enumerable.Range(0, Ceiling(Width, 8 * across))
               select from c in components
                      from v in Enumerable.Range(0, Sampling[c].Down)
                      from h in Enumerable.Range(0, Sampling[c].Across)
                      select (c, (x * Sampling[c].Across) + h, (y * Sampling[c].Down) + v);
    }

    private int Value(int component, int x, int y)
    {
        var (across, down) = (Sampling.Max(s => s.Across), Sampling.Max(s => s.Down));
        var column = Math.Min(Width - 1, ((8 * x) + 4) * across / Sampling[component].Across);
        var row = Math.Min(Height - 1, ((8 * y) + 4) * down / Sampling[component].Down);
        var (r, g, b) = Colour(column, row);
        var value = component switch
        {
            0 => (0.299 * r) + (0.587 * g) + (0.114 * b) - 128,
            1 => (-0.168736 * r) - (0.331264 * g) + (0.5 * b),
            _ => (0.5 * r) - (0.418688 * g) - (0.081312 * b),
        };
        return (int)Math.Clamp(Math.Round(value), -128, 127);
    }

    private static void Difference(BitWriter bits, int difference)
    {
        var size = 0;
        while (Math.Abs(difference) >> size != 0)
        {
            size++;
        }

        bits.Write(size, 4);
        bits.Write(difference < 0 ? difference - 1 : difference, size);
    }

    private static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;

    private sealed class BitWriter(MemoryStream file)
    {
        private int _bits;
        private int _count;

        public void Write(int value, int count)
        {
            for (var i = count - 1; i >= 0; i--)
            {
                _bits = (_bits << 1) | ((value >> i) & 1);
                if (++_count == 8)
                {
                    file.WriteByte((byte)_bits);
                    if (_bits == 0xFF)
                    {
                        file.WriteByte(0);
                    }

                    (_bits, _count) = (0, 0);
                }
            }
        }

        public void Flush()
        {
            while (_count > 0)
            {
                Write(1, 1);
            }
        }
    }
}
