using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>Looks at a graph as it is in its file, before it is served.</summary>
/// <param name="session">The graph; see <see cref="Open"/>.</param>
/// <param name="fault">Makes an error of what is wrong with the graph.</param>
internal sealed class GraphReader(InferenceSession session, Func<string, ModelException> fault)
{
    /// <summary>Opens a graph to look at it: without optimisation, with one thread and limited memory.</summary>
    /// <exception cref="OnnxRuntimeException">The runtime cannot load it; <see cref="OnnxFile.Open"/> has the other exceptions.</exception>
    public static InferenceSession Open(string path)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        TrialMemory.Use(options);
        return OnnxFile.Open(path, options);
    }

    /// <summary>Lets the head of a manifest's family look for its outputs among these.</summary>
    /// <exception cref="ModelException">It does not find them.</exception>
    public static void CheckHead(ModelManifest manifest, IReadOnlyList<OutputTensor> outputs) =>
        DetectionHeads.Create(manifest).Read(
            outputs,
            InputGeometry.Of(manifest.Input, manifest.Input.Width, manifest.Input.Height),

            // Nothing scores above 1: only the shapes are looked at.
            new HeadSettings(1.1f, manifest.Iou, 1),
            []);

    /// <summary>What the graph wants beside the picture; <see langword="null"/> for nothing.</summary>
    /// <exception cref="ModelException">It wants something that is not known.</exception>
    public SecondInput? FindSecond(string pictureInput)
    {
        try
        {
            return SecondInput.Find(session, pictureInput);
        }
        catch (ModelException e)
        {
            throw fault(e.Message);
        }
    }

    /// <summary>Lets the graph be run on made-up pictures.</summary>
    /// <exception cref="ModelException">One of its outputs is not a tensor.</exception>
    public GraphTrial Try(PictureInput input, SecondInput? second, RunBounds bounds) =>
        session.OutputMetadata.FirstOrDefault(o => !o.Value.IsTensor) is { Key: not null } other
            ? throw fault($"its output {other.Key} is not a tensor; export it with tensors only")
            : new GraphTrial(session, input, second, bounds);
}
