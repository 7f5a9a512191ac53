using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>Examines a graph in its file, before it is served.</summary>
/// <param name="session">The graph; see <see cref="Open"/>.</param>
/// <param name="fault">Creates an exception for a fault of the graph.</param>
internal sealed class GraphReader(InferenceSession session, Func<string, ModelException> fault)
{
    /// <summary>Opens a graph to examine it: without optimisation, with one thread and limited memory.</summary>
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

    /// <summary>Checks that the head of the manifest's family finds its outputs among these.</summary>
    /// <exception cref="ModelException">It does not find them.</exception>
    public static void CheckHead(ModelManifest manifest, IReadOnlyList<OutputTensor> outputs) =>
        DetectionHeads.Create(manifest).Read(
            outputs,
            InputGeometry.Of(manifest.Input, manifest.Input.Width, manifest.Input.Height),

            // No score is above 1, so only the shapes are examined.
            new HeadSettings(1.1f, manifest.Iou, 1),
            []);

    /// <summary>The graph's inputs beside the picture.</summary>
    /// <exception cref="ModelException">The meaning of one is not known.</exception>
    public IReadOnlyList<SideInput> FindSides(string pictureInput)
    {
        try
        {
            return SideInput.FindAll(session, pictureInput);
        }
        catch (ModelException e)
        {
            throw fault(e.Message);
        }
    }

    /// <summary>Prepares runs of the graph with generated pictures.</summary>
    /// <exception cref="ModelException">One of its outputs is not a tensor.</exception>
    public GraphTrial Try(PictureInput input, IReadOnlyList<SideInput> sides, RunBounds bounds) =>
        session.OutputMetadata.FirstOrDefault(o => !o.Value.IsTensor) is { Key: not null } other
            ? throw fault($"its output {other.Key} is not a tensor; export it with tensors only")
            : new GraphTrial(session, input, sides, bounds);
}
