using Detection.Inference.Graphs;
using Detection.Inference.Heads;

namespace Detection.Inference.Inspection;

/// <summary>The information from which a family is concluded.</summary>
/// <param name="Outputs">Names and shapes of the graph's outputs, without the batch dimension.</param>
/// <param name="Whole">Names of outputs without a batch dimension: their rows are those of all pictures of a run.</param>
/// <param name="Width">The input's width.</param>
/// <param name="Height">The input's height.</param>
/// <param name="Labels">Number of labels, when the metadata or the manifest names them.</param>
/// <param name="Metadata">The file's custom metadata.</param>
/// <param name="Sides">The inputs beside the picture.</param>
/// <param name="ValuesOf">Runs the graph on a black picture and gives an output's values: for what shapes leave open.</param>
internal sealed record OutputShapes(
    IReadOnlyList<OutputTensor> Outputs,
    IReadOnlySet<string> Whole,
    int Width,
    int Height,
    int? Labels,
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyList<SideInputKind> Sides,
    Func<string, float[]> ValuesOf)
{
    /// <summary>More rows than this are cells of a grid, and not queries.</summary>
    public const int MaxQueries = 1000;

    /// <summary>Strides of the three maps that most detectors have.</summary>
    public static readonly int[] ThreeMaps = [8, 16, 32];

    /// <summary>Strides of four maps.</summary>
    public static readonly int[] FourMaps = [8, 16, 32, 64];

    /// <summary>The outputs with two dimensions.</summary>
    public IReadOnlyList<OutputTensor> Tables { get; } = [.. Outputs.Where(o => o.Shape.Length == 2)];

    /// <summary>
    /// The table of a one-stage detector; some exports also contain inner tables. Its shape is <see langword="null"/> when there is none.
    /// </summary>
    public OutputTensor Table => Tables.Count == 1 ? Tables[0] : Tables.FirstOrDefault(o => o.Name is "output0" or "output");

    /// <summary>Shape of the output with one of these names; <see langword="null"/> when there is none. TensorFlow adds ":0" to its names.</summary>
    public int[]? Shape(params string[] names) =>
        Outputs.FirstOrDefault(o => names.Contains(o.Name.EndsWith(":0", StringComparison.Ordinal) ? o.Name[..^2] : o.Name)).Shape;

    /// <summary>Number of cells on the maps of these strides.</summary>
    public int Cells(params int[] strides) => strides.Sum(s => ((Width + s - 1) / s) * ((Height + s - 1) / s));

    /// <summary>Whether these columns of the table are from 0 to 1, in every row of a black picture.</summary>
    public bool AreScores(int from, int to) => Rows().All(row => row.AsSpan(from..to).IndexOfAnyExceptInRange(0f, 1f) < 0);

    /// <summary>The rows of the table for a black picture.</summary>
    public IEnumerable<float[]> Rows() => ValuesOf(Table.Name).Chunk(Table.Shape[1]);

    /// <summary>Whether a line of the metadata has this word.</summary>
    public bool Says(string key, string word) => Metadata.TryGetValue(key, out var text) && text.Contains(word, StringComparison.OrdinalIgnoreCase);
}
