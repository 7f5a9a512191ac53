using System.Runtime.InteropServices;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.Onnx;

/// <summary>A YOLOv8 that returns one box for any picture, with the width in the weight file beside its graph.</summary>
internal static class OneBoxDetector
{
    /// <summary>Name of the file of weights.</summary>
    public const string Weights = "best.onnx.data";

    private const int Cells = 16 + 4 + 1;

    /// <summary>Writes graph and weights into a folder, and reads them as a model.</summary>
    public static ModelSource Write(string folder, float width)
    {
        var graph = new OnnxGraph();
        var picture = graph.Input("images", TensorElementType.Float, "batch", 3, 32, 32);
        var none = graph.Node("Mul", [graph.Node("ReduceMean", [graph.Node("Reshape", [picture, graph.Longs(0, -1, 1)])], ("axes", new long[] { 1 })), graph.Floats([0])]);
        graph.Output("output0", graph.Node("Add", [graph.External(Weights, 1, 5, Cells), none]), TensorElementType.Float, "batch", 5, Cells);
        graph.Metadata("names", "['thing']").Save(Path.Combine(folder, "model.onnx"));
        File.WriteAllBytes(Path.Combine(folder, Weights), MemoryMarshal.AsBytes<float>(Answer(width)));
        return ModelFile.Read(folder);
    }

    /// <summary>One box in the middle of the picture; the other cells are empty.</summary>
    public static float[] Answer(float width)
    {
        var values = new float[5 * Cells];
        (values[0], values[Cells], values[2 * Cells], values[3 * Cells], values[4 * Cells]) = (16, 16, width, width, 0.9f);
        return values;
    }
}
