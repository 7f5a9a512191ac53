using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>The picture input of a graph, for pictures of one size.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Data">The declaration of the graph; four dimensions.</param>
/// <param name="Layout">Order of its dimensions.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
internal sealed record PictureInput(string Name, NodeMetadata Data, TensorLayout Layout, int Width, int Height)
{
    /// <summary>Type of its values.</summary>
    public TensorElementType Type => Data.ElementDataType;

    /// <summary>The only batch size that the graph accepts; 0 when it accepts any.</summary>
    public int FixedBatch => Math.Max(Data.Dimensions[0], 0);

    /// <summary>Whether the dimensions that the graph declares fit this size and layout.</summary>
    public bool Fits => Data.Dimensions.Zip(Shape(1)).Skip(1).All(d => d.First < 0 || d.First == d.Second);

    /// <summary>Shape of a batch.</summary>
    public long[] Shape(int batch) => Layout == TensorLayout.Nchw ? [batch, 3, Height, Width] : [batch, Height, Width, 3];
}
