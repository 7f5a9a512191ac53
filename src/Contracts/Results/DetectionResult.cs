using Detection.Objects;

namespace Detection.Contracts.Results;

/// <summary>
/// Everything a model found in one picture, down to the model's score floor, so that one cached result serves every threshold. The result cache holds
/// this type.
/// </summary>
/// <param name="Model">The model that ran, as <c>name@version</c>.</param>
/// <param name="Width">Width of the upright original picture, in pixels.</param>
/// <param name="Height">Height of the upright original picture, in pixels.</param>
/// <param name="Boxes">What was found, highest score first.</param>
/// <param name="Timings">Durations of the stages.</param>
/// <remarks>It is serialized as <see cref="PackedResult"/>.</remarks>
[Immutable]
public sealed record DetectionResult(
    string Model,
    int Width,
    int Height,
    DetectedObject[] Boxes,
    StageTimings Timings);

/// <summary>Durations of the stages of one picture, each in milliseconds.</summary>
/// <param name="Queue">From entering the queue to being claimed by a batcher.</param>
/// <param name="Decode">Decoding the picture.</param>
/// <param name="Preprocess">Resizing and normalising it into the input tensor.</param>
/// <param name="Inference">The model's run. For a batch that runs as one tensor, each picture gets the time of the whole batch.</param>
/// <param name="Postprocess">From the output tensors to boxes.</param>
/// <param name="BatchSize">Number of pictures in its batch.</param>
[GenerateSerializer, Immutable, Alias("detection.StageTimings")]
public readonly record struct StageTimings(
    [property: Id(0)] double Queue,
    [property: Id(1)] double Decode,
    [property: Id(2)] double Preprocess,
    [property: Id(3)] double Inference,
    [property: Id(4)] double Postprocess,
    [property: Id(5)] int BatchSize);
