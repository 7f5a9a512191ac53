using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;

namespace Detection.Inference.Heads;

/// <summary>The cells of a head's feature maps: one map per stride, each row by row.</summary>
internal sealed class CellGrid
{
    /// <param name="input">The input, for its size.</param>
    /// <param name="strides">Input pixels per cell, in the order of the rows.</param>
    /// <exception cref="ModelException">A stride is not a whole number of 1 or more.</exception>
    public CellGrid(InputSpec input, IReadOnlyList<int> strides)
    {
        if (strides.Count == 0 || strides.Any(s => s < 1))
        {
            throw new ModelException("\"head.strides\" must be whole numbers of 1 or more; write for example \"strides\": [8, 16, 32].");
        }

        // The size of a map is rounded up, as in padded convolutions.
        var cells = new List<Cell>();
        foreach (var stride in strides)
        {
            for (var y = 0; y < (input.Height + stride - 1) / stride; y++)
            {
                for (var x = 0; x < (input.Width + stride - 1) / stride; x++)
                {
                    cells.Add(new Cell(x, y, stride));
                }
            }
        }

        Cells = [.. cells];
    }

    /// <summary>All cells, in the order of the output's rows.</summary>
    public Cell[] Cells { get; }

    /// <param name="X">Column.</param>
    /// <param name="Y">Row.</param>
    /// <param name="Stride">Input pixels per cell.</param>
    public readonly record struct Cell(int X, int Y, int Stride);
}
