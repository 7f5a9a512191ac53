using Detection.Contracts.Models;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>The server.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Extensions">The extensions of the protocol that it supports.</param>
internal sealed record ServerMetadata(string Name, string Version, IReadOnlyList<string> Extensions);

/// <summary>Whether the process answers.</summary>
/// <param name="Live">Always true.</param>
internal sealed record ServerLive(bool Live);

/// <summary>Whether requests can be served.</summary>
/// <param name="Ready">True when they can.</param>
internal sealed record ServerReady(bool Ready);

/// <summary>Whether a model is served.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ready">Always true.</param>
internal sealed record ModelReady(string Name, bool Ready);

/// <summary>A model and its tensors.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Versions">Its version, 12 hex digits.</param>
/// <param name="Platform">The runtime that runs it.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Outputs">Its outputs.</param>
internal sealed record ModelMetadata(
    string Name, IReadOnlyList<string> Versions, string Platform, IReadOnlyList<TensorMetadata> Inputs, IReadOnlyList<TensorMetadata> Outputs)
{
    public static ModelMetadata Of(ModelInfo model) => new(
        model.Name,
        [model.Version],
        "onnxruntime_onnx",
        [new TensorMetadata(DetectionTensors.Image, "BYTES", [1])],
        [.. DetectionTensors.Outputs.Select(static output => new TensorMetadata(output.Name, output.Datatype, output.Columns is { } columns ? [-1, columns] : [-1]))]);
}

/// <summary>A tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">BYTES, FP32 or INT32.</param>
/// <param name="Shape">Its dimensions; -1 for any.</param>
internal sealed record TensorMetadata(string Name, string Datatype, IReadOnlyList<int> Shape);

/// <summary>A failure.</summary>
/// <param name="Error">One sentence for a person.</param>
internal sealed record OpenInferenceFailure(string Error);
