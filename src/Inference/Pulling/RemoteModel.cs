using System.Text.Json.Nodes;

namespace Detection.Inference.Pulling;

/// <summary>A file on a server.</summary>
/// <param name="Name">Its name in the model's folder.</param>
/// <param name="Url">Its address.</param>
/// <param name="Credential">The proof for its server; <see langword="null"/> for none.</param>
/// <param name="Digest">Its hash; <see langword="null"/> when the source does not say.</param>
/// <param name="Length">Its length in bytes; <see langword="null"/> when the source does not say.</param>
internal sealed record RemoteFile(string Name, Uri Url, PullCredential? Credential, FileDigest? Digest = null, long? Length = null);

/// <summary>What a source has.</summary>
/// <param name="Revision">The immutable name of this state of the source, such as a commit; <see langword="null"/> when the source has none.</param>
/// <param name="Graph">The ONNX file.</param>
/// <param name="FindWeights">The weights that the graph names, by that name; <see langword="null"/> for a file that the source does not have.</param>
/// <param name="Manifest">Lines of the manifest that the source knows; <see langword="null"/> for none.</param>
internal sealed record RemoteModel(string? Revision, RemoteFile Graph, Func<string, RemoteFile?> FindWeights, JsonObject? Manifest = null);
