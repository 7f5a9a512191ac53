using System.Runtime.InteropServices;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Detection.Inference.Tests.Pictures;
using SkiaSharp;

namespace Detection.Inference.Tests.Graphs;

/// <summary>Weights in a file beside the graph, as PyTorch exports them: a YOLOv8 whose output is the content of that file.</summary>
public sealed class ExternalWeightsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weights").FullName;

    private string Weights => Path.Combine(_folder, OneBoxDetector.Weights);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Weights_of_any_name_are_part_of_the_version()
    {
        var before = Write(width: 8);
        File.WriteAllText(Path.Combine(_folder, "export.py"), "how it was made");

        Assert.NotEqual(before.Version, Write(width: 10).Version);
        Assert.False(ModelVersion.IsUnchanged(before));
        Assert.True(ModelVersion.IsUnchanged(Write(width: 8)));
    }

    [Fact]
    public async Task Weights_that_are_overwritten_leave_the_loaded_model_as_it_was()
    {
        await using var model = await DroppedModel.Load(Write(width: 8));
        Assert.Equal(8, await Width(model));

        // As by cp: truncated first, then filled.
        using (var file = new FileStream(Weights, FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite))
        {
            Assert.Equal(8, await Width(model));
            file.Write(MemoryMarshal.AsBytes<float>(OneBoxDetector.Answer(width: 10)));
        }

        Assert.Equal(8, await Width(model));
        await using var replaced = await DroppedModel.Load(ModelFile.Read(_folder));
        Assert.Equal(10, await Width(replaced));
    }

    [Fact]
    public void Missing_weights_are_reported()
    {
        Write(width: 8);
        File.Delete(Weights);

        var error = Assert.Throws<ModelException>(() => ModelFile.Read(_folder));

        Assert.Contains("not an ONNX model that can be loaded", error.Message, StringComparison.Ordinal);
        Assert.Contains("best.onnx.data", error.Message, StringComparison.Ordinal);
    }

    private ModelSource Write(float width) => OneBoxDetector.Write(_folder, width);

    private static async Task<float> Width(DroppedModel model)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(32, 32, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var box = Assert.Single((await model.Detect(Samples.Encode(bitmap, SKEncodedImageFormat.Png)))[0].Boxes);
        return box.X2 - box.X1;
    }
}
