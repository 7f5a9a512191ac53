using Detection.Inference.Manifest;

namespace Detection.Inference.Repository;

/// <summary>The models of a folder at one moment.</summary>
/// <param name="Models">Those that can be served, by name.</param>
/// <param name="Problems">
/// What is wrong with which model, by name, one sentence each. A model that is also in <paramref name="Models"/> is served as
/// it was before.
/// </param>
public sealed record ModelSet(IReadOnlyDictionary<string, ModelSource> Models, IReadOnlyDictionary<string, string> Problems)
{
    /// <summary>No models.</summary>
    public static ModelSet Empty { get; } = new(new Dictionary<string, ModelSource>(), new Dictionary<string, string>());
}
