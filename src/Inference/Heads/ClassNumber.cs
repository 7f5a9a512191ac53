using System.Globalization;
using Detection.Inference.Manifest;

namespace Detection.Inference.Heads;

/// <summary>Class numbers in the outputs of a graph.</summary>
internal static class ClassNumber
{
    /// <summary>The number as an index into the labels.</summary>
    /// <exception cref="ModelException">There is no such label.</exception>
    public static int Check(float number, int labels) =>
        number >= 0 && number < labels
            ? (int)number
            : throw new ModelException(string.Create(
                CultureInfo.InvariantCulture,
                $"the graph returned class number {number} and the manifest names {labels}; write all its names in \"labels\", or correct \"head\": {{ \"background\": … }}."));
}
