using System.Text.Json;
using System.Text.Json.Serialization;

namespace Detection.Inference.Pulling;

/// <summary>What was pulled into a model's folder: <c>.pulled.json</c> there.</summary>
/// <param name="Source">The source, without the query of a URL.</param>
/// <param name="Revision">The immutable name of the source's state, such as a commit; <see langword="null"/> when the source has none.</param>
/// <param name="Sha256">SHA-256 of the graph.</param>
/// <param name="Files">The files.</param>
public sealed record PulledModel(string Source, string? Revision, string Sha256, IReadOnlyList<PulledFile> Files);

/// <summary>A file that was pulled.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256.</param>
public sealed record PulledFile(string Name, long Length, string Sha256);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(PulledModel))]
internal sealed partial class PulledModelJson : JsonSerializerContext;
