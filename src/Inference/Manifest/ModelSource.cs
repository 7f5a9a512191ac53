namespace Detection.Inference.Manifest;

/// <summary>A model file with its manifest, read but not yet loaded on any device.</summary>
/// <param name="Name">Name that requests use.</param>
/// <param name="Version">First 12 hex digits of the SHA-256 over its files.</param>
/// <param name="Path">The ONNX file.</param>
/// <param name="Manifest">How to fill its input and read its outputs.</param>
public sealed record ModelSource(string Name, string Version, string Path, ModelManifest Manifest);
