using System.Buffers;
using System.Runtime.InteropServices;

namespace Detection.Inference.Pictures;

/// <summary>
/// The JPEG codec of libjpeg-turbo, with SIMD, where the system has its library (Debian and Ubuntu: <c>libturbojpeg0</c>; Fedora:
/// <c>turbojpeg</c>; Alpine: <c>libjpeg-turbo</c>; Homebrew: <c>jpeg-turbo</c>; the official Windows installer). About twice as
/// fast as SkiaSharp's, whose Linux build has no SIMD. The functions of version 2 are used, which version 3 still has.
/// </summary>
internal static unsafe class TurboJpeg
{
    /// <summary>Set to <see langword="false"/> to use SkiaSharp for JPEG although the library is there.</summary>
    public const string Switch = "Detection.Inference.TurboJpeg";

    private const int Rgba = 7;
    private const int NoRealloc = 0x0400;
    private const int FullColour = 0;
    private const int Fatal = 1;
    private const int Unread = int.MinValue;

    // The one warning that says nothing of the data themselves: more bytes than the picture needs.
    private const string ExtraneousBytes = "extraneous bytes";

    private static readonly Functions? Library = Load();

    // A codec keeps some tables between pictures; one per thread needs no lock.
    [ThreadStatic]
    private static Handle? _decompressor;

    [ThreadStatic]
    private static Handle? _compressor;

    /// <summary>Whether the library was found.</summary>
    public static bool IsAvailable => Library is not null;

    /// <summary>Decodes into <paramref name="picture"/>, whose size says at which scale.</summary>
    /// <param name="encoded">A JPEG of one or three components.</param>
    /// <param name="picture">Gets the pixels, as stored.</param>
    /// <param name="whole">Whether the library found coded data for every pixel.</param>
    /// <returns><see langword="null"/>, or why the library refuses the file.</returns>
    public static string? Decode(ReadOnlySpan<byte> encoded, Picture picture, out bool whole)
    {
        var library = Library!;
        whole = false;
        fixed (byte* source = encoded, target = picture.Pixels)
        {
            var length = new CULong((nuint)encoded.Length);
            int width = 0, height = 0, subsampling = Unread, colours = 0;
            var handle = Decompressor(library);
            if (library.DecompressHeader(handle, source, length, &width, &height, &subsampling, &colours) != 0
                && library.GetErrorCode(handle) == Fatal)
            {
                var refusal = Discard(ref _decompressor, library);

                // It refuses to name a sampling that it has no name for, although it decodes it.
                if (subsampling == Unread)
                {
                    return refusal;
                }

                handle = Decompressor(library);
            }

            // The library picks its largest scale that fits into the size given: it must be exactly the one that was planned.
            if (width != picture.OriginalWidth || height != picture.OriginalHeight)
            {
                throw new PictureException(PictureFault.Undecodable, "The JPEG picture contradicts itself about its size.");
            }

            var warned = library.Decompress(handle, source, length, target, picture.Width, picture.Stride, picture.Height, Rgba, 0) != 0;
            if (warned && library.GetErrorCode(handle) == Fatal)
            {
                return Discard(ref _decompressor, library);
            }

            // A warning (damaged data in a file that is whole) leaves a picture to look at, as in every browser.
            whole = !warned || Message(library, handle).Contains(ExtraneousBytes, StringComparison.Ordinal);
            return null;
        }
    }

    /// <summary>Writes a picture as JPEG, colour in full resolution: thin lines and letters keep theirs.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="quality">1 to 100.</param>
    /// <param name="output">Gets the file.</param>
    public static void Encode(Picture picture, int quality, IBufferWriter<byte> output)
    {
        var library = Library!;
        _compressor ??= new Handle(library.InitCompress(), library.Destroy);
        var handle = _compressor.Value;
        var most = library.BufferSize(picture.Width, picture.Height, FullColour);
        var buffer = ArrayPool<byte>.Shared.Rent(checked((int)most.Value));
        try
        {
            int result;
            var size = most;
            fixed (byte* source = picture.Pixels, target = buffer)
            {
                var at = target;
                result = library.Compress(handle, source, picture.Width, picture.Stride, picture.Height, Rgba, &at, &size, FullColour, quality, NoRealloc);
            }

            if (result != 0)
            {
                throw new InvalidOperationException($"libjpeg-turbo cannot encode: {Discard(ref _compressor, library)}");
            }

            output.Write(buffer.AsSpan(0, (int)size.Value));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static nint Decompressor(Functions library) => (_decompressor ??= new Handle(library.InitDecompress(), library.Destroy)).Value;

    // A codec that gave up may still be in the middle of that file, and would take the next one for its rest: it is never used again.
    private static string Discard(ref Handle? handle, Functions library)
    {
        var message = Message(library, handle!.Value);
        handle.Dispose();
        handle = null;
        return message;
    }

    private static string Message(Functions library, nint handle) =>
        Marshal.PtrToStringUTF8((nint)library.GetErrorString(handle)) ?? "unknown error";

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

    // Freed when its thread has ended, or before.
    private sealed class Handle(nint value, delegate* unmanaged<nint, int> destroy) : IDisposable
    {
        public nint Value { get; } = value != 0 ? value : throw new InvalidOperationException("libjpeg-turbo cannot start.");

        ~Handle() => _ = destroy(Value);

        public void Dispose()
        {
            GC.SuppressFinalize(this);
            _ = destroy(Value);
        }
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
