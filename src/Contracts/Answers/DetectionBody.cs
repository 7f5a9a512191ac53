using Detection.Objects;

namespace Detection.Contracts.Answers;

/// <summary>The objects found in a picture.</summary>
/// <param name="ImageKey">Key of the picture, 64 lower-case hex digits: the SHA-256 of its bytes, unless the server gives each caller keys of its own. GET /v1/detections/{imageKey} reads this answer again.</param>
/// <param name="Model">The model, name@version.</param>
/// <param name="Width">Width of the upright picture, in pixels.</param>
/// <param name="Height">Height of the upright picture, in pixels.</param>
/// <param name="Threshold">Lowest score of an object in this answer.</param>
/// <param name="Source">Where the answer came from.</param>
/// <param name="Cached">Whether it came from the result cache.</param>
/// <param name="Boxes">The objects found, highest score first.</param>
/// <param name="Timings">Durations of the stages.</param>
public sealed record DetectionBody(
    string ImageKey,
    string Model,
    int Width,
    int Height,
    float Threshold,
    AnswerSource Source,
    bool Cached,
    IReadOnlyList<BoxBody> Boxes,
    TimingsBody Timings);

/// <summary>Durations of the stages, in milliseconds. All but the total are those of the run that computed the result.</summary>
/// <param name="Queue">From entering the queue to being claimed.</param>
/// <param name="Decode">Decoding the picture.</param>
/// <param name="Preprocess">Resizing and normalising it.</param>
/// <param name="Inference">The model's run.</param>
/// <param name="Postprocess">From the model's outputs to boxes.</param>
/// <param name="Total">This request, from its headers to its answer.</param>
/// <param name="BatchSize">Number of pictures in the batch that computed the result.</param>
public sealed record TimingsBody(
    double Queue, double Decode, double Preprocess, double Inference, double Postprocess, double Total, int BatchSize);
