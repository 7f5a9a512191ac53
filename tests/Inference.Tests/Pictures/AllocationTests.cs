using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Tests.Pictures;

/// <summary>Runs alone, because garbage collections of other tests empty the pools.</summary>
[Collection(nameof(Devices.AllocationTests))]
public sealed class AllocationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Filled_pools_leave_no_allocation_of_the_size_of_a_picture(bool turbo)
    {
        Assert.SkipWhen(turbo && !TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        var upright = Samples.Jpeg(640, 480);
        var turned = Samples.WithOrientation(upright, 6);
        var spec = new InputSpec { Width = 416, Height = 416 };
        var tensor = new byte[spec.ByteLength];
        Once(upright, turbo, spec, tensor);
        Once(turned, turbo, spec, tensor);

        const int rounds = 20;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < rounds; round++)
        {
            Once(upright, turbo, spec, tensor);
            Once(turned, turbo, spec, tensor);
        }

        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / (2 * rounds);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes");
        Assert.InRange(each, 0, 4096);
    }

    private static void Once(byte[] encoded, bool turbo, InputSpec spec, byte[] tensor)
    {
        using var picture = PictureDecoder.Decode(encoded, new PictureLimits(), spec.Width, spec.Height, turbo);
        Preprocessor.Write(picture, spec, tensor);
    }
}
