using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>
/// The second input of some graphs. A size [batch, 2] to which they scale their boxes: it gets the size of the input, and the head scales the boxes.
/// A mask [batch, y, x] of picture and padding (DETR): the whole mask is picture.
/// </summary>
internal sealed class SecondInput
{
    private static readonly TensorElementType[] SizeTypes =
        [TensorElementType.Int32, TensorElementType.Float, TensorElementType.Double, TensorElementType.Float16];

    private readonly int[] _dimensions;
    private readonly TensorElementType _type;

    private SecondInput(string name, NodeMetadata data)
    {
        Name = name;
        Batch = data.SymbolicDimensions[0];
        _dimensions = data.Dimensions;
        _type = data.ElementDataType;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Name of its batch dimension where that is open.</summary>
    public string Batch { get; }

    /// <summary>Whether it is a size.</summary>
    public bool IsSize => _dimensions.Length == 2;

    /// <summary>The graph's second input; <see langword="null"/> when there is only the picture.</summary>
    /// <exception cref="ModelException">The second input is not supported.</exception>
    public static SecondInput? Find(InferenceSession session, string pictureInput)
    {
        var others = session.InputMetadata.Where(input => input.Key != pictureInput).ToList();
        return others switch
        {
            [] => null,
            [var (name, data)] when data is { IsTensor: true, ElementDataType: TensorElementType.Int64, Dimensions: [_, 2 or -1] or [_, _, _] } => new(name, data),

            // Other types only by name: PaddlePaddle's im_shape and scale_factor have the same shape but need other numbers.
            [var (name, data)] when data is { IsTensor: true, Dimensions: [_, 2 or -1] }
                && SizeTypes.Contains(data.ElementDataType)
                && name.Contains("size", StringComparison.OrdinalIgnoreCase) => new(name, data),
            _ => throw new ModelException($"the graph has the inputs {string.Join(", ", session.InputNames)}; export it with the picture as the only input"),
        };
    }

    /// <summary>Its value for an input of this size.</summary>
    public OrtValue Create(int batch, int width, int height)
    {
        if (IsSize)
        {
            return _type switch
            {
                TensorElementType.Int32 => Sizes(batch, width, height),
                TensorElementType.Float => Sizes<float>(batch, width, height),
                TensorElementType.Double => Sizes<double>(batch, width, height),
                TensorElementType.Float16 => Sizes(batch, (Float16)(float)width, (Float16)(float)height),
                _ => Sizes<long>(batch, width, height),
            };
        }

        // Exporters leave a mask of a fixed size; the graph scales it.
        long[] shape = [batch, _dimensions[1] > 0 ? _dimensions[1] : height, _dimensions[2] > 0 ? _dimensions[2] : width];
        long[] mask = new long[TensorElements.Count(shape)];
        Array.Fill(mask, 1);
        return OrtValue.CreateTensorValueFromMemory(mask, shape);
    }

    private static OrtValue Sizes<T>(int batch, T width, T height)
        where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(new[] { width, height }, batch).SelectMany(pair => pair).ToArray(), [batch, 2]);
}
