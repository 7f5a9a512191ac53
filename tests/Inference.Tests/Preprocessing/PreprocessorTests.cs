using System.Runtime.InteropServices;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Tests.Preprocessing;

public sealed class PreprocessorTests
{
    private static readonly InputSpec Plain = new() { Width = 32, Height = 24 };

    public static TheoryData<ResizeMode, ChannelOrder, TensorLayout, TensorElement> Combinations()
    {
        var all = new TheoryData<ResizeMode, ChannelOrder, TensorLayout, TensorElement>();
        foreach (var resize in Enum.GetValues<ResizeMode>())
        {
            foreach (var order in Enum.GetValues<ChannelOrder>())
            {
                foreach (var layout in Enum.GetValues<TensorLayout>())
                {
                    foreach (var element in Enum.GetValues<TensorElement>())
                    {
                        all.Add(resize, order, layout, element);
                    }
                }
            }
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Every_combination_agrees_with_the_plain_computation(
        ResizeMode resize, ChannelOrder order, TensorLayout layout, TensorElement element)
    {
        var spec = new InputSpec
        {
            Width = 45,
            Height = 38,
            Resize = resize,
            Channels = order,
            Layout = layout,
            Element = element,
            Scale = element == TensorElement.UInt8 ? 1 : 255,
            Mean = element == TensorElement.UInt8 ? [0, 0, 0] : [0.485f, 0.456f, 0.406f],
            Std = element == TensorElement.UInt8 ? [1, 1, 1] : [0.229f, 0.224f, 0.225f],
        };
        foreach (var (width, height) in new[] { (1, 1), (2, 3), (7, 5), (45, 38), (44, 39), (97, 61), (31, 200), (300, 40) })
        {
            using var picture = Noise(width, height);
            AssertAgrees(picture, spec);
        }
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(0f, true)]
    [InlineData(128f, false)]
    public void Padding_and_enlarging_obey_the_specification(float? padding, bool enlarge)
    {
        foreach (var resize in new[] { ResizeMode.LetterboxCenter, ResizeMode.LetterboxTopLeft })
        {
            var spec = Plain with { Resize = resize, Padding = padding, Enlarge = enlarge, Mean = [0.4f, 0.5f, 0.6f] };
            foreach (var (width, height) in new[] { (5, 7), (64, 20), (20, 64), (32, 24) })
            {
                using var picture = Noise(width, height);
                AssertAgrees(picture, spec);
            }
        }
    }

    [Fact]
    public void Random_sizes_agree_with_the_plain_computation()
    {
        var random = new Random(4711);
        for (var round = 0; round < 150; round++)
        {
            using var picture = Noise(1 + random.Next(120), 1 + random.Next(120), round);
            AssertAgrees(picture, new InputSpec
            {
                Width = 1 + random.Next(80),
                Height = 1 + random.Next(80),
                Resize = (ResizeMode)random.Next(3),
                Scale = 1,
                Mean = [103.53f, 116.28f, 123.675f],
                Std = [57.375f, 57.12f, 58.395f],
            });
        }
    }

    [Fact]
    public void A_destination_of_another_length_is_refused()
    {
        using var picture = Noise(8, 8);
        Assert.Throws<ArgumentException>(() => Preprocessor.Write(picture, Plain, new byte[Plain.ByteLength - 1]));
        Assert.Throws<ArgumentException>(() => Preprocessor.Write(picture, Plain, new byte[Plain.ByteLength + 1]));
    }

    [Fact]
    public void Normalised_bytes_are_refused()
    {
        using var picture = Noise(8, 8);
        var spec = Plain with { Element = TensorElement.UInt8, Mean = [1, 0, 0] };
        Assert.Throws<ArgumentException>(() => Preprocessor.Write(picture, spec, new byte[spec.ByteLength]));
    }

    private static void AssertAgrees(Picture picture, InputSpec spec)
    {
        var bytes = new byte[spec.ByteLength];
        new Random(5).NextBytes(bytes);
        var geometry = Preprocessor.Write(picture, spec, bytes);
        var (width, height) = spec.Fit(picture.Width, picture.Height);
        var place = ((int)geometry.OffsetX, (int)geometry.OffsetY, width, height);
        for (var channel = 0; channel < 3; channel++)
        {
            // A fiftieth of an 8-bit step; bytes are rounded, and a float16 has 11 bits.
            var tolerance = (spec.Element == TensorElement.UInt8 ? 1 : 0.02 / spec.Scale / spec.Std[channel])
                + (spec.Element == TensorElement.Float16 ? 0.003 : 0);
            for (var y = 0; y < spec.Height; y++)
            {
                for (var x = 0; x < spec.Width; x++)
                {
                    var index = spec.Layout == TensorLayout.Nchw
                        ? (((channel * spec.Height) + y) * spec.Width) + x
                        : (((y * spec.Width) + x) * 3) + channel;
                    double actual = spec.Element switch
                    {
                        TensorElement.Float32 => MemoryMarshal.Cast<byte, float>(bytes)[index],
                        TensorElement.Float16 => (double)MemoryMarshal.Cast<byte, Half>(bytes)[index],
                        _ => bytes[index],
                    };
                    var expected = ReferencePreprocessor.Value(picture, spec, place, channel, y, x);
                    if (Math.Abs(expected - actual) > tolerance)
                    {
                        Assert.Fail($"{picture.Width}×{picture.Height} {spec}: [{channel},{y},{x}] is {actual}, not {expected}");
                    }
                }
            }
        }
    }

    private static Picture Noise(int width, int height, int seed = 1)
    {
        var picture = Picture.Create(width, height);
        new Random(seed).NextBytes(picture.Pixels);
        return picture;
    }
}
