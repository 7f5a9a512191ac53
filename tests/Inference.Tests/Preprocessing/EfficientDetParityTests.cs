using System.Runtime.InteropServices;
using System.Text.Json;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Tests.Preprocessing;

/// <summary>The input tensors that the code of the replaced system computes (OpenCV), for real photos.</summary>
public sealed class EfficientDetParityTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Input_tensors_are_those_of_the_replaced_system(bool turbo)
    {
        Assert.SkipWhen(turbo && !TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        using var expected = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.FindOrSkip("parity/efficientdet-d0/expected.json")));
        var spec = new InputSpec
        {
            Width = 512,
            Height = 512,
            Resize = ResizeMode.LetterboxTopLeft,
            Padding = null,
            Mean = [0.485f, 0.456f, 0.406f],
            Std = [0.229f, 0.224f, 0.225f],
        };
        var tensor = new byte[spec.ByteLength];
        var values = MemoryMarshal.Cast<byte, float>(tensor);
        double sum = 0;
        double worst = 0;
        var count = 0;
        foreach (var picture in expected.RootElement.GetProperty("pictures").EnumerateArray())
        {
            var encoded = File.ReadAllBytes(SharedFiles.FindOrSkip($"images/coco-person/{picture.GetProperty("file").GetString()}"));
            using var decoded = PictureDecoder.Decode(encoded, new PictureLimits(), 0, 0, turbo);
            Preprocessor.Write(decoded, spec, tensor);
            var resized = picture.GetProperty("resized");
            Assert.Equal((resized[0].GetInt32(), resized[1].GetInt32()), spec.Fit(decoded.Width, decoded.Height));
            foreach (var sample in picture.GetProperty("input_samples").EnumerateArray())
            {
                var index = (((sample[0].GetInt32() * 512) + sample[1].GetInt32()) * 512) + sample[2].GetInt32();
                var error = Math.Abs(values[index] - sample[3].GetDouble());
                sum += error;
                worst = Math.Max(worst, error);
                count++;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"mean {sum / count}, worst {worst}, {count} values");
        Assert.True(count > 2000, "Too few samples.");
        Assert.True(sum / count <= 0.01, $"Mean error {sum / count}");
        Assert.True(worst <= 0.12, $"Worst error {worst}");
    }
}
