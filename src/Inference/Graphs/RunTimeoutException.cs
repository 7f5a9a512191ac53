using System.Globalization;
using Detection.Inference.Manifest;

namespace Detection.Inference.Graphs;

/// <summary>A run of a model took too long and was ended.</summary>
/// <param name="longest">Its time limit.</param>
public sealed class RunTimeoutException(TimeSpan longest)
    : ModelException(string.Create(CultureInfo.InvariantCulture, $"its run did not end within {longest.TotalSeconds:0.#} s and was ended."))
{
    /// <summary>Its time limit.</summary>
    public TimeSpan Longest => longest;
}
