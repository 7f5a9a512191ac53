using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>What a <see cref="SideInput"/> is for.</summary>
internal enum SideInputKind
{
    /// <summary>Width and height in which the graph scales its boxes, [batch, 2]: the input's own, and the head scales.</summary>
    Size,

    /// <summary>The same with the height first, as PaddleDetection's <c>im_shape</c>.</summary>
    Shape,

    /// <summary>By which the picture was resized, height first, as PaddleDetection's <c>scale_factor</c>: 1, and the head scales.</summary>
    ScaleFactor,

    /// <summary>What is picture and what padding, [batch, y, x] (DETR): all is picture.</summary>
    Mask,
}

/// <summary>An input that a graph has beside the picture.</summary>
internal sealed class SideInput
{
    private static readonly TensorElementType[] NumberTypes =
        [TensorElementType.Int64, TensorElementType.Int32, TensorElementType.Float, TensorElementType.Double, TensorElementType.Float16];

    private readonly int[] _dimensions;
    private readonly TensorElementType _type;

    private SideInput(string name, NodeMetadata data, SideInputKind kind)
    {
        Name = name;
        Kind = kind;
        Batch = data.SymbolicDimensions[0];
        _dimensions = data.Dimensions;
        _type = data.ElementDataType;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What it is for.</summary>
    public SideInputKind Kind { get; }

    /// <summary>Name of its batch dimension where that is open.</summary>
    public string Batch { get; }

    /// <summary>The graph's inputs beside the picture.</summary>
    /// <exception cref="ModelException">The meaning of one is not known.</exception>
    public static IReadOnlyList<SideInput> FindAll(InferenceSession session, string pictureInput) =>
    [
        .. session.InputMetadata.Where(input => input.Key != pictureInput).Select(input => KindOf(input.Key, input.Value) is { } kind
            ? new SideInput(input.Key, input.Value, kind)
            : throw new ModelException(
                $"the graph has the inputs {string.Join(", ", session.InputNames)}, and the meaning of {input.Key} is not known; export it with the picture as the only input")),
    ];

    /// <summary>Its value for an input of this size.</summary>
    public OrtValue Create(int batch, int width, int height) => Kind switch
    {
        SideInputKind.Size => Numbers(batch, width, height),
        SideInputKind.Shape => Numbers(batch, height, width),
        SideInputKind.ScaleFactor => Numbers(batch, 1, 1),
        _ => Mask(batch, width, height),
    };

    private static SideInputKind? KindOf(string name, NodeMetadata data)
    {
        bool Says(string word) => name.Contains(word, StringComparison.OrdinalIgnoreCase);
        return data switch
        {
            { IsTensor: false } => null,
            { Dimensions: [_, 2 or -1] } when !NumberTypes.Contains(data.ElementDataType) => null,
            { Dimensions: [_, 2 or -1] } when Says("scale_factor") => SideInputKind.ScaleFactor,
            { Dimensions: [_, 2 or -1] } when Says("im_shape") => SideInputKind.Shape,
            { Dimensions: [_, 2 or -1] } when data.ElementDataType == TensorElementType.Int64 || Says("size") => SideInputKind.Size,
            { Dimensions: [_, _, _], ElementDataType: TensorElementType.Int64 } => SideInputKind.Mask,
            _ => null,
        };
    }

    private OrtValue Numbers(int batch, int first, int second) => _type switch
    {
        TensorElementType.Int32 => Pairs(batch, first, second),
        TensorElementType.Float => Pairs<float>(batch, first, second),
        TensorElementType.Double => Pairs<double>(batch, first, second),
        TensorElementType.Float16 => Pairs(batch, (Float16)(float)first, (Float16)(float)second),
        _ => Pairs<long>(batch, first, second),
    };

    // Exporters leave a mask of their own size behind; it is scaled inside.
    private OrtValue Mask(int batch, int width, int height)
    {
        long[] shape = [batch, _dimensions[1] > 0 ? _dimensions[1] : height, _dimensions[2] > 0 ? _dimensions[2] : width];
        long[] mask = new long[TensorElements.Count(shape)];
        Array.Fill(mask, 1);
        return OrtValue.CreateTensorValueFromMemory(mask, shape);
    }

    private static OrtValue Pairs<T>(int batch, T first, T second)
        where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(new[] { first, second }, batch).SelectMany(pair => pair).ToArray(), [batch, 2]);
}
