using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Inspection;

/// <summary>
/// Tells readings of the same outputs apart. The right one finds objects in a known picture, and the same ones, mirrored, in its mirror
/// image; a wrong one finds fewer, or in other places.
/// </summary>
internal sealed class KnownPictureTrial(GraphTrial trial, IReadOnlyList<GraphOutput> outputs, int batch)
{
    private const int MaxBoxes = 20;
    private const float ScoreFloor = 0.1f;

    /// <summary>Least evidence that decides: half an object that is seen in both pictures.</summary>
    private const float Least = 0.5f;

    /// <summary>By how much the best reading must exceed the next.</summary>
    private const float Lead = 1.1f;

    /// <summary>The reading that the pictures prove, by its index; -1 when they show no difference.</summary>
    /// <remarks>
    /// Networks also find objects in pictures that are fed wrongly, some of them more, so each reading gets the pictures as every one of them would
    /// feed them: only where it finds the objects counts.
    /// </remarks>
    public int Decide(IReadOnlyList<ModelManifest?> readings)
    {
        var inputs = readings.OfType<ModelManifest>().Select(manifest => manifest.Input).ToList();
        float[] evidence = [.. readings.Select(manifest => manifest is null ? 0 : inputs.Max(input => EvidenceFor(manifest with { Input = input })))];
        var best = Array.IndexOf(evidence, evidence.Max());
        var next = evidence.Where((_, i) => i != best).Max();
        return evidence[best] >= Least && evidence[best] >= Lead * next ? best : -1;
    }

    /// <summary>The sum over the objects of the known picture of score × overlap with the nearest object of the mirror image.</summary>
    private float EvidenceFor(ModelManifest manifest)
    {
        try
        {
            var mirrored = Objects(manifest, mirrored: true);
            return Objects(manifest, mirrored: false).Sum(found => found.Score * mirrored.Where(o => o.ClassId == found.ClassId).Select(o => Overlap(found, o)).DefaultIfEmpty().Max());
        }
        catch (Exception e) when (e is ModelException or OnnxRuntimeException or RunTimeoutException)
        {
            // A class without a label, a score above 1, or a run that fails: not this one.
            return 0;
        }
    }

    private List<DetectedObject> Objects(ModelManifest manifest, bool mirrored)
    {
        using var picture = KnownPicture.Decode(mirrored);
        InputGeometry geometry = default;
        var results = trial.Run(batch, input =>
        {
            var row = input[..manifest.Input.ByteLength];
            geometry = Preprocessor.Write(picture, manifest.Input, row);
            for (var rest = input[row.Length..]; rest.Length > 0; rest = rest[row.Length..])
            {
                row.CopyTo(rest);
            }
        });
        var boxes = new List<DetectedObject>();
        DetectionHeads.Create(manifest).Read(
            [.. outputs.Select(o => Row(results[o.Name], o))], geometry, new HeadSettings(ScoreFloor, manifest.Iou, MaxBoxes), boxes);
        if (boxes.Exists(box => !(box.Score <= 1)))
        {
            throw new ModelException("A score is above 1.");
        }

        return mirrored ? [.. boxes.Select(box => box with { X1 = picture.Width - box.X2, X2 = picture.Width - box.X1 })] : boxes;
    }

    private OutputTensor Row(TrialOutput output, GraphOutput declared)
    {
        var hasBatch = declared.HasBatch && output.Shape.Length > 0;
        return new OutputTensor(
            declared.Name, hasBatch ? output.Shape[1..] : output.Shape, hasBatch ? output.Values.AsMemory(0, output.Values.Length / batch) : output.Values);
    }

    private static float Overlap(in DetectedObject a, in DetectedObject b)
    {
        var width = MathF.Min(a.X2, b.X2) - MathF.Max(a.X1, b.X1);
        var height = MathF.Min(a.Y2, b.Y2) - MathF.Max(a.Y1, b.Y1);
        var common = MathF.Max(width, 0) * MathF.Max(height, 0);
        return common / (((a.X2 - a.X1) * (a.Y2 - a.Y1)) + ((b.X2 - b.X1) * (b.Y2 - b.Y1)) - common);
    }
}
