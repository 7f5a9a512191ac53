using Detection.Inference.Manifest;

namespace Detection.Inference.Heads;

/// <summary>Makes the head of each family.</summary>
public static class DetectionHeads
{
    private static readonly Dictionary<string, Func<ModelManifest, IDetectionHead>> Makers = new(StringComparer.Ordinal)
    {
        ["nanodet"] = manifest => new NanoDetHead(manifest),
        ["picodet"] = manifest => new PicoDetHead(manifest),
        ["pp-yoloe"] = manifest => new PicoDetHead(manifest),
        ["yolox"] = ObjectnessHead.Yolox,
        ["yolov5"] = ObjectnessHead.YoloV5,
        ["yolov8"] = manifest => new YoloV8Head(manifest),
        ["yolov9"] = manifest => new YoloV8Head(manifest),
        ["yolo11"] = manifest => new YoloV8Head(manifest),
        ["yolo12"] = manifest => new YoloV8Head(manifest),
        ["yolov10"] = manifest => new EndToEndHead(manifest, suppresses: false),
        ["yolo26"] = manifest => new EndToEndHead(manifest, suppresses: false),
        ["deepstream"] = manifest => new EndToEndHead(manifest, suppresses: true),
        ["efficientdet"] = manifest => new EfficientDetHead(manifest),
        ["rt-detr"] = QueryHead.RtDetr,
        ["d-fine"] = QueryHead.RtDetr,
        ["detr"] = QueryHead.Detr,
        ["ssd"] = manifest => new SuppressedHead(manifest),
        ["yolo-nas"] = manifest => new DecodedBoxesHead(manifest),
        ["damo-yolo"] = manifest => new DecodedBoxesHead(manifest),
        ["rtmdet"] = CellMapHead.RtmDet,
        ["centernet"] = manifest => new CenterNetHead(manifest),
        ["yunet"] = CellMapHead.YuNet,
        ["scrfd"] = CellMapHead.Scrfd,
    };

    /// <summary>Families that have a head, all of <see cref="HeadFamilies.Names"/>.</summary>
    internal static IReadOnlyCollection<string> Families => Makers.Keys;

    /// <summary>Makes the head that reads a model's outputs.</summary>
    /// <exception cref="ModelException">The family is not known, or does not know one of the settings in <c>head</c>.</exception>
    public static IDetectionHead Create(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!Makers.TryGetValue(manifest.Family, out var make))
        {
            throw new ModelException($"\"family\" is {manifest.Family}; write one of {string.Join(", ", HeadFamilies.Names)}.");
        }

        if (manifest.Labels.Count == 0)
        {
            throw new ModelException("\"labels\" is empty; write the names of the model's classes, at least one.");
        }

        var settings = HeadFamilies.SettingsOf(manifest.Family);
        foreach (var setting in ManifestTree.SettingsOf(manifest.Head))
        {
            if (!settings.Contains(setting))
            {
                throw new ModelException(
                    $"\"head.{setting}\" is no setting of the family {manifest.Family}; remove it. Its settings are {string.Join(", ", settings)}.");
            }
        }

        return make(manifest);
    }
}
