using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>The models of a folder at one point in time.</summary>
/// <param name="Models">Models that can be served, by name.</param>
/// <param name="Problems">
/// Faults of models, by name, one sentence each. The previous version of a model that is also in <paramref name="Models"/> is served.
/// </param>
public sealed record ModelSet(IReadOnlyDictionary<string, ModelSource> Models, IReadOnlyDictionary<string, string> Problems)
{
    /// <summary>No models.</summary>
    public static ModelSet Empty { get; } = new(new Dictionary<string, ModelSource>(), new Dictionary<string, string>());
}
