using System.Buffers;
using System.Runtime.InteropServices;
using Detection.Objects;

namespace Detection.Inference.Pictures;

/// <summary>
/// The JPEG codec of libjpeg-turbo, with SIMD, if the system has its library (Debian and Ubuntu: <c>libturbojpeg0</c>; Fedora: <c>turbojpeg</c>;
/// Alpine: <c>libjpeg-turbo</c>; Homebrew: <c>jpeg-turbo</c>; the official Windows installer). It is about twice as fast as SkiaSharp's codec, whose
/// Linux build has no SIMD. It uses the functions of version 2, which version 3 still has.
/// </summary>
internal static unsafe class TurboJpeg
{
    /// <summary>Set it to <see langword="false"/> to decode JPEG with SkiaSharp although the library is installed.</summary>
    public const string Switch = "Detection.Inference.TurboJpeg";

    private const int Rgba = 7;
    private const int NoRealloc = 0x0400;
    private const int FullColour = 0;
    private const int Fatal = 1;
    private const int Unread = int.MinValue;

    /// <summary>
    /// The beginnings of the library's warnings (<c>JWRN_…</c> in its <c>jerror.h</c>). The library reports an error that follows a warning as a
    /// warning, although pixels are missing then, but with the message of the error. So a message that is not listed here is an error.
    /// </summary>
    private static readonly string[] Warnings =
    [
        "Application transferred too many scanlines",
        "Corrupt JPEG data",
        "Inconsistent progression sequence",
        "Invalid SOS parameters for sequential JPEG",
        "Premature end of JPEG file",
        "Unknown Adobe color transform code",
        "Warning: unknown JFIF revision number",
    ];

    private static readonly Functions? Library = Load();

    /// <summary>Whether the library was found.</summary>
    public static bool IsAvailable => Library is not null;

    /// <summary>Decodes into <paramref name="picture"/>, whose size gives the scale.</summary>
    /// <param name="encoded">A JPEG of one or three components.</param>
    /// <param name="picture">Receives the pixels, as stored.</param>
    /// <param name="warning">The first warning of the library, although it decoded; <see langword="null"/> when there was none.</param>
    /// <returns><see langword="null"/>, or the reason why the library refuses the file.</returns>
    public static string? Decode(ReadOnlySpan<byte> encoded, Picture picture, out string? warning)
    {
        var library = Library!;
        warning = null;
        fixed (byte* source = encoded, target = picture.Pixels)
        {
            var length = new CULong((nuint)encoded.Length);
            int width = 0, height = 0, subsampling = Unread, colours = 0;
            using (var header = new Handle(library.InitDecompress(), library))
            {
                // It returns an error for a sampling that it has no name for, although it can decode it.
                if (library.DecompressHeader(header.Value, source, length, &width, &height, &subsampling, &colours) != 0 && subsampling == Unread)
                {
                    return header.Message;
                }
            }

            // The library uses the largest of its scales that fits into the given size: it must be exactly the planned one.
            if (width != picture.OriginalWidth || height != picture.OriginalHeight)
            {
                throw new PictureException(FailureReason.Undecodable, "The JPEG picture contradicts itself about its size.");
            }

            using var codec = new Handle(library.InitDecompress(), library);
            if (library.Decompress(codec.Value, source, length, target, picture.Width, picture.Stride, picture.Height, Rgba, 0) == 0)
            {
                return null;
            }

            // A warning (damaged data in a complete file) still gives a picture, as in every browser.
            var message = codec.Message;
            if (library.GetErrorCode(codec.Value) == Fatal || !Warnings.Any(warning => message.StartsWith(warning, StringComparison.Ordinal)))
            {
                return message;
            }

            warning = message;
            return null;
        }
    }

    /// <summary>Writes a picture as JPEG, with full colour resolution, which keeps thin lines and letters sharp.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="quality">1 to 100.</param>
    /// <param name="output">Gets the file.</param>
    public static void Encode(Picture picture, int quality, IBufferWriter<byte> output)
    {
        var library = Library!;
        using var codec = new Handle(library.InitCompress(), library);
        var most = library.BufferSize(picture.Width, picture.Height, FullColour);

        // Most of the worst-case size is never touched, so the system does not provide it; a pool would keep all of it.
        var buffer = (byte*)NativeMemory.Alloc(most.Value);
        try
        {
            var at = buffer;
            var size = most;
            fixed (byte* source = picture.Pixels)
            {
                if (library.Compress(codec.Value, source, picture.Width, picture.Stride, picture.Height, Rgba, &at, &size, FullColour, quality, NoRealloc) != 0)
                {
                    throw new InvalidOperationException($"libjpeg-turbo cannot encode: {codec.Message}");
                }
            }

            // All at once, so that the output is no larger than the file.
            var file = new ReadOnlySpan<byte>(buffer, checked((int)size.Value));
            file.CopyTo(output.GetSpan(file.Length));
            output.Advance(file.Length);
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    private static Functions? Load()
    {
        if (AppContext.TryGetSwitch(Switch, out var enabled) && !enabled)
        {
            return null;
        }

        string[] names = OperatingSystem.IsWindows() ? ["turbojpeg.dll"]
            : OperatingSystem.IsMacOS() ? ["libturbojpeg.dylib", "/opt/homebrew/lib/libturbojpeg.dylib", "/usr/local/lib/libturbojpeg.dylib"]
            : ["libturbojpeg.so.0", "libturbojpeg.so"];
        foreach (var name in names)
        {
            // Version 2.0 or newer has this function.
            if (NativeLibrary.TryLoad(name, typeof(TurboJpeg).Assembly, null, out var library)
                && NativeLibrary.TryGetExport(library, "tjGetErrorCode", out _))
            {
                return new Functions(library);
            }
        }

        return null;
    }

    /// <summary>
    /// A codec for one picture only: it keeps tables of one file for the next, and after a failure it may still be in the middle of its file.
    /// </summary>
    private readonly ref struct Handle(nint value, Functions library)
    {
        public nint Value { get; } = value != 0 ? value : throw new InvalidOperationException("libjpeg-turbo cannot start.");

        public string Message => Marshal.PtrToStringUTF8((nint)library.GetErrorString(Value)) ?? "unknown error";

        public void Dispose() => _ = library.Destroy(Value);
    }

    // C's unsigned long is 32 bits wide on Windows and as wide as a pointer elsewhere: CULong.
    private sealed class Functions(nint library)
    {
        public readonly delegate* unmanaged<nint> InitDecompress =
            (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "tjInitDecompress");

        public readonly delegate* unmanaged<nint> InitCompress =
            (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "tjInitCompress");

        public readonly delegate* unmanaged<nint, int> Destroy =
            (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjDestroy");

        public readonly delegate* unmanaged<nint, byte*, CULong, int*, int*, int*, int*, int> DecompressHeader =
            (delegate* unmanaged<nint, byte*, CULong, int*, int*, int*, int*, int>)NativeLibrary.GetExport(library, "tjDecompressHeader3");

        public readonly delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int> Decompress =
            (delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int>)NativeLibrary.GetExport(library, "tjDecompress2");

        public readonly delegate* unmanaged<nint, byte*, int, int, int, int, byte**, CULong*, int, int, int, int> Compress =
            (delegate* unmanaged<nint, byte*, int, int, int, int, byte**, CULong*, int, int, int, int>)NativeLibrary.GetExport(library, "tjCompress2");

        public readonly delegate* unmanaged<int, int, int, CULong> BufferSize =
            (delegate* unmanaged<int, int, int, CULong>)NativeLibrary.GetExport(library, "tjBufSize");

        public readonly delegate* unmanaged<nint, int> GetErrorCode =
            (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjGetErrorCode");

        public readonly delegate* unmanaged<nint, byte*> GetErrorString =
            (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(library, "tjGetErrorStr2");
    }
}
