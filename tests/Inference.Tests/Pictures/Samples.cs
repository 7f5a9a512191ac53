using Detection.Inference.Pictures;
using SkiaSharp;

namespace Detection.Inference.Tests.Pictures;

/// <summary>Generated pictures.</summary>
internal static class Samples
{
    /// <summary>Smooth colours with some structure, always the same.</summary>
    public static SKBitmap Scene(int width, int height, int seed = 1)
    {
        var random = new Random(seed);
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(new SKColor(90, 140, 200));
        using var paint = new SKPaint { IsAntialias = true };
        for (var i = 0; i < 40; i++)
        {
            paint.Color = new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256));
            canvas.DrawOval(
                random.Next(width), random.Next(height), 1 + random.Next(Math.Max(1, width / 4)), 1 + random.Next(Math.Max(1, height / 4)), paint);
        }

        return bitmap;
    }

    public static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format, int quality = 90)
    {
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    /// <summary>Encodes in any format; GIF and BMP, which SkiaSharp cannot write, are encoded here.</summary>
    public static byte[] Encode(SKBitmap bitmap, PictureFormat format) => format switch
    {
        PictureFormat.Jpeg => Encode(bitmap, SKEncodedImageFormat.Jpeg),
        PictureFormat.Png => Encode(bitmap, SKEncodedImageFormat.Png),
        PictureFormat.WebP => Encode(bitmap, SKEncodedImageFormat.Webp),
        PictureFormat.Gif => Gif(bitmap),
        _ => Bmp(bitmap),
    };

    private static byte[] Bmp(SKBitmap bitmap)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        var row = ((bitmap.Width * 3) + 3) / 4 * 4;
        writer.Write("BM"u8);
        writer.Write(54 + (row * bitmap.Height));
        writer.Write(0);
        writer.Write(54);
        writer.Write(40);
        writer.Write(bitmap.Width);
        writer.Write(bitmap.Height);
        writer.Write((short)1);
        writer.Write((short)24);
        writer.Write(new byte[24]);
        for (var y = bitmap.Height - 1; y >= 0; y--)
        {
            for (var x = 0; x < bitmap.Width; x++)
            {
                var colour = bitmap.GetPixel(x, y);
                writer.Write([colour.Blue, colour.Green, colour.Red]);
            }

            writer.Write(new byte[row - (bitmap.Width * 3)]);
        }

        return file.ToArray();
    }

    /// <summary>Two bits a channel and codes of a fixed 7 bits: a clear code comes before the codes would grow.</summary>
    private static byte[] Gif(SKBitmap bitmap)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("GIF89a"u8);
        writer.Write((short)bitmap.Width);
        writer.Write((short)bitmap.Height);
        writer.Write([0b1111_0101, 0, 0]);
        for (var i = 0; i < 64; i++)
        {
            writer.Write([(byte)((i >> 4) * 85), (byte)(((i >> 2) & 3) * 85), (byte)((i & 3) * 85)]);
        }

        writer.Write((byte)',');
        writer.Write(0);
        writer.Write((short)bitmap.Width);
        writer.Write((short)bitmap.Height);
        writer.Write([0, 6]);
        var bits = new List<bool>();
        const int clear = 64;
        for (var i = 0; i < bitmap.Width * bitmap.Height; i++)
        {
            if (i % 50 == 0)
            {
                Code(clear);
            }

            var colour = bitmap.GetPixel(i % bitmap.Width, i / bitmap.Width);
            Code(((colour.Red / 64) << 4) | ((colour.Green / 64) << 2) | (colour.Blue / 64));
        }

        Code(clear + 1);
        var data = new byte[(bits.Count + 7) / 8];
        for (var i = 0; i < bits.Count; i++)
        {
            data[i / 8] |= (byte)((bits[i] ? 1 : 0) << (i % 8));
        }

        foreach (var block in data.Chunk(255))
        {
            writer.Write((byte)block.Length);
            writer.Write(block);
        }

        writer.Write([0, (byte)';']);
        return file.ToArray();

        void Code(int code)
        {
            for (var bit = 0; bit < 7; bit++)
            {
                bits.Add(((code >> bit) & 1) != 0);
            }
        }
    }

    public static byte[] Jpeg(int width, int height, int seed = 1)
    {
        using var scene = Scene(width, height, seed);
        return Encode(scene, SKEncodedImageFormat.Jpeg);
    }

    /// <summary>Four quadrants: red, green, blue, white, row by row.</summary>
    public static SKBitmap Quadrants(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        using var paint = new SKPaint();
        SKColor[] colours = [SKColors.Red, new(0, 255, 0), SKColors.Blue, SKColors.White];
        for (var i = 0; i < 4; i++)
        {
            paint.Color = colours[i];
            canvas.DrawRect(i % 2 * (width / 2), i / 2 * (height / 2), width / 2, height / 2, paint);
        }

        return bitmap;
    }

    /// <summary>Inserts an EXIF segment with an orientation after the start of a JPEG file.</summary>
    public static byte[] WithOrientation(byte[] jpeg, int orientation, bool bigEndian = false)
    {
        byte[] value = bigEndian ? [0, (byte)orientation, 0, 0] : [(byte)orientation, 0, 0, 0];
        byte[] tiff = bigEndian
            ? [(byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, .. value, 0, 0, 0, 0]
            : [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, .. value, 0, 0, 0, 0];
        byte[] body = [.. "Exif\0\0"u8, .. tiff];
        return [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(body.Length + 2), .. body, .. jpeg[2..]];
    }

    /// <summary>The checksum of a PNG chunk, over its name and data.</summary>
    public static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
