using Detection.Inference.Manifest;

namespace Detection.Inference.Heads;

/// <summary>The families of detectors that can be read.</summary>
public static class DetectionHeads
{
    private static readonly Family YoloV8 = new(manifest => new YoloV8Head(manifest), YoloV8Head.Settings);
    private static readonly Family EndToEnd = new(manifest => new EndToEndHead(manifest), EndToEndHead.Settings);

    private static readonly Dictionary<string, Family> Known = new(StringComparer.Ordinal)
    {
        ["nanodet"] = new(manifest => new NanoDetHead(manifest), NanoDetHead.Settings),
        ["yolox"] = new(ObjectnessHead.Yolox, ObjectnessHead.YoloxSettings),
        ["yolov5"] = new(ObjectnessHead.YoloV5, ObjectnessHead.YoloV5Settings),
        ["yolov8"] = YoloV8,
        ["yolov9"] = YoloV8,
        ["yolo11"] = YoloV8,
        ["yolo12"] = YoloV8,
        ["yolov10"] = EndToEnd,
        ["yolo26"] = EndToEnd,
        ["efficientdet"] = new(manifest => new EfficientDetHead(manifest), EfficientDetHead.Settings),
        ["rt-detr"] = new(QueryHead.RtDetr, QueryHead.Settings),
        ["d-fine"] = new(QueryHead.RtDetr, QueryHead.Settings),
        ["detr"] = new(QueryHead.Detr, QueryHead.Settings),
        ["ssd"] = new(manifest => new SuppressedHead(manifest), SuppressedHead.Settings),
    };

    /// <summary>Names for the manifest's <c>family</c>.</summary>
    public static IReadOnlyCollection<string> Families => Known.Keys;

    /// <summary>Makes the head that reads a model's outputs.</summary>
    /// <exception cref="ModelException">The family is not known, or does not know one of the settings in <c>head</c>.</exception>
    public static IDetectionHead Create(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!Known.TryGetValue(manifest.Family, out var family))
        {
            throw new ModelException($"\"family\" is {manifest.Family}; write one of {string.Join(", ", Families)}.");
        }

        if (manifest.Labels.Count == 0)
        {
            throw new ModelException("\"labels\" is empty; write the names of the model's classes, at least one.");
        }

        foreach (var setting in ManifestJson.SettingsOf(manifest.Head))
        {
            if (!family.Settings.Contains(setting))
            {
                throw new ModelException(
                    $"\"head.{setting}\" means nothing to the family {manifest.Family}; remove it (known to it: {string.Join(", ", family.Settings)}).");
            }
        }

        return family.Make(manifest);
    }

    private sealed record Family(Func<ModelManifest, IDetectionHead> Make, string[] Settings);
}
