using System.Globalization;
using Detection.Inference.Manifest;

namespace Detection.Inference.Graphs;

/// <summary>A run of a model that lasted too long and was ended.</summary>
/// <param name="longest">How long it was let run.</param>
public sealed class RunTimeoutException(TimeSpan longest)
    : ModelException(string.Create(CultureInfo.InvariantCulture, $"its run did not end within {longest.TotalSeconds:0.#} s and was ended."))
{
    /// <summary>How long it was let run.</summary>
    public TimeSpan Longest => longest;
}
