using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static Detection.Inference.Pictures.JpegMarkers;

namespace Detection.Inference.Pictures;

/// <summary>
/// The content of the markers of a JPEG file: its frame, its scans, and whether it has an end. A length below 2 counts as 2, as in libjpeg.
/// </summary>
internal struct JpegStructure
{
    // Far more than any limit; a file of 20 MB could contain millions.
    private const int MaxMarkers = 10_000;
    private const int MaxComponents = 4;
    private const ulong AllCoefficients = ulong.MaxValue;

    private Components _components;
    private int _restartInterval;
    private long _unitsOfScan;
    private bool _restartsMissing;

    /// <summary>Marker of the frame (0xC0 is baseline, 0xC2 progressive); 0 where there is none.</summary>
    public byte Frame { get; private set; }

    /// <summary>Bits of a sample.</summary>
    public int Precision { get; private set; }

    /// <summary>Width in pixels, as stored.</summary>
    public int Width { get; private set; }

    /// <summary>Height in pixels, as stored.</summary>
    public int Height { get; private set; }

    /// <summary>Number of components: 1 is grey, 3 colour, 4 CMYK.</summary>
    public int ComponentCount { get; private set; }

    /// <summary>Number of scans.</summary>
    public int Scans { get; private set; }

    /// <summary>Total number of samples that the scans visit.</summary>
    public long Samples { get; private set; }

    /// <summary>Whether the file has its end-of-image marker at the place where libjpeg looks for it.</summary>
    public bool Ends { get; private set; }

    /// <summary>End of the coded data of the last scan.</summary>
    public int DataEnd { get; private set; }

    /// <summary>Whether the samples are coded in several passes, so that decoders keep the coefficients of the whole picture.</summary>
    public readonly bool HoldsCoefficients => IsProgressive || Scans > 1;

    /// <summary>Whether the frame is progressive.</summary>
    public readonly bool IsProgressive => Frame is Progressive or ArithmeticProgressive;

    /// <summary>Whether its data is coded arithmetically. Decoders then replace missing data by zeros, without a warning.</summary>
    public readonly bool IsArithmetic => Frame is >= ArithmeticSequential and not ArithmeticTable;

    /// <summary>Whether the scans contain every coefficient of every component with full accuracy, and all restart markers.</summary>
    public readonly bool IsComplete
    {
        get
        {
            for (var i = 0; i < ComponentCount && i < MaxComponents; i++)
            {
                if (_components[i].Known != AllCoefficients)
                {
                    return false;
                }
            }

            return Scans > 0 && !_restartsMissing;
        }
    }

    /// <summary>Number of units in a scan of several components.</summary>
    private readonly long Units
    {
        get
        {
            var (across, down) = Sampling();
            return (long)Ceiling(Width, 8 * across) * Ceiling(Height, 8 * down);
        }
    }

    /// <summary>Number of samples of one pass over all components, padded to whole blocks.</summary>
    public readonly long SamplesOfAPass
    {
        get
        {
            long sum = 0;
            for (var i = 0; i < ComponentCount && i < MaxComponents; i++)
            {
                sum += SamplesOf(_components[i]);
            }

            return sum;
        }
    }

    /// <summary>Reads the markers up to the end of the picture, or as far as they are valid.</summary>
    /// <param name="encoded">A file that starts with the start-of-image marker.</param>
    public static JpegStructure Read(ReadOnlySpan<byte> encoded)
    {
        var structure = default(JpegStructure);
        var at = 2;
        while (structure.Scans < MaxMarkers && TryFindMarker(encoded, ref at, out var marker) && structure.Take(encoded, ref at, marker))
        {
        }

        return structure;
    }

    private static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;

    // Reads a marker and its segment; false at the end, and where libjpeg fails.
    private bool Take(ReadOnlySpan<byte> encoded, ref int at, byte marker)
    {
        if (marker == Temporary || IsRestart(marker))
        {
            return true;
        }

        Ends = marker == EndOfImage;
        if (marker is < FirstDefined or StartOfImage or EndOfImage or Hierarchical or Expand or (>= FirstReserved and not Comment)
            || encoded.Length - at < 2)
        {
            return false;
        }

        var length = Math.Max(2, (int)BinaryPrimitives.ReadUInt16BigEndian(encoded[at..]));
        if (length > encoded.Length - at)
        {
            return false;
        }

        var body = encoded.Slice(at + 2, length - 2);
        at += length;
        switch (marker)
        {
            case StartOfScan:
                TakeScan(body);
                DataEnd = SkipData(encoded, ref at);
                break;
            case RestartInterval:
                _restartInterval = body.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(body);
                break;
            case >= FirstDefined and <= LastFrame and not (HuffmanTable or Reserved or ArithmeticTable) when Frame == 0:
                return TakeFrame(marker, body);
        }

        return true;
    }

    // Stops before the next marker that is not part of the data.
    private int SkipData(ReadOnlySpan<byte> encoded, ref int at)
    {
        var restarts = 0;
        while (TryFindMarker(encoded, ref at, out var marker))
        {
            if (IsRestart(marker))
            {
                restarts++;
            }
            else if (marker >= FirstDefined || !AreMissing(restarts))
            {
                at -= 2;
                break;
            }

            // While restarts are missing, libjpeg skips unknown markers and continues after them.
        }

        _restartsMissing |= AreMissing(restarts);
        return at;
    }

    private readonly bool AreMissing(int restarts) =>
        _restartInterval > 0 && (long)(restarts + 1) * _restartInterval < _unitsOfScan;

    private bool TakeFrame(byte marker, ReadOnlySpan<byte> body)
    {
        if (body.Length < 6 || body.Length < 6 + (3 * body[5]))
        {
            return false;
        }

        Frame = marker;
        Precision = body[0];
        Height = BinaryPrimitives.ReadUInt16BigEndian(body[1..]);
        Width = BinaryPrimitives.ReadUInt16BigEndian(body[3..]);
        ComponentCount = body[5];
        for (var i = 0; i < ComponentCount && i < MaxComponents; i++)
        {
            var component = body.Slice(6 + (3 * i), 3);
            _components[i] = new Component { Id = component[0], Across = component[1] >> 4, Down = component[1] & 15 };
        }

        return true;
    }

    private void TakeScan(ReadOnlySpan<byte> body)
    {
        Scans++;
        _unitsOfScan = 0;
        if (body.Length < 1 || body.Length < 4 + (2 * body[0]))
        {
            return;
        }

        var known = AllCoefficients;
        if (IsProgressive)
        {
            var spectrum = body[(1 + (2 * body[0]))..];
            var (first, last, missingBits) = (spectrum[0] & 63, spectrum[1] & 63, spectrum[2] & 15);
            known = missingBits > 0 || last < first ? 0 : (AllCoefficients << first) & (AllCoefficients >> (63 - last));
        }

        for (var i = 0; i < body[0]; i++)
        {
            var id = body[1 + (2 * i)];
            for (var c = 0; c < ComponentCount && c < MaxComponents; c++)
            {
                if (_components[c].Id == id)
                {
                    _components[c].Known |= known;
                    Samples += SamplesOf(_components[c]);
                    _unitsOfScan = body[0] == 1 ? BlocksOf(_components[c]) : Units;
                    break;
                }
            }
        }
    }

    // Maximum over all components, horizontally and vertically.
    private readonly (int Across, int Down) Sampling()
    {
        var (across, down) = (1, 1);
        for (var i = 0; i < ComponentCount && i < MaxComponents; i++)
        {
            across = Math.Max(across, _components[i].Across);
            down = Math.Max(down, _components[i].Down);
        }

        return (across, down);
    }

    // Whole blocks of 8 × 8, in whole units with the number of blocks that the sampling gives.
    private readonly long SamplesOf(in Component component) => Units * component.Across * component.Down * 64;

    // In a scan of one component, the component has only the blocks that it needs.
    private readonly long BlocksOf(in Component component)
    {
        var (across, down) = Sampling();
        return (long)Ceiling(Ceiling(Width * component.Across, across), 8) * Ceiling(Ceiling(Height * component.Down, down), 8);
    }

    private struct Component
    {
        public byte Id;
        public int Across;
        public int Down;
        public ulong Known;
    }

    [InlineArray(MaxComponents)]
    private struct Components
    {
        private Component _first;
    }
}
