using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>How a family's exporters feed their models: what a manifest need not say.</summary>
internal static class FamilyConventions
{
    /// <summary>Mean and deviation of ImageNet's pictures, R, G, B, of values from 0 to 1.</summary>
    private static readonly float[] ImageNetMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] ImageNetStd = [0.229f, 0.224f, 0.225f];

    /// <summary>The lines of <c>input</c>, and <c>iou</c>, for a family.</summary>
    public static JsonObject Of(string family) => family switch
    {
        "nanodet" => Manifest(0.6f, Input("stretch", "bgr", 1, [103.53f, 116.28f, 123.675f], [57.375f, 57.12f, 58.395f])),
        "picodet" => Manifest(0.6f, Input("stretch", "rgb", 255, ImageNetMean, ImageNetStd)),
        "pp-yoloe" => Manifest(0.6f, Input("stretch", "rgb", 255)),
        "yolox" => Manifest(0.45f, Input("letterboxTopLeft", "bgr", 1)),
        "yolov5" => Manifest(0.45f, Input("letterboxCenter", "rgb", 255)),
        "yolov8" or "yolov9" or "yolo11" or "yolo12" or "yolov10" or "yolo26" => Manifest(0.7f, Input("letterboxCenter", "rgb", 255)),
        "deepstream" => Manifest(0.45f, Input("letterboxCenter", "rgb", 255)),
        "efficientdet" => Manifest(0.2f, Input("letterboxTopLeft", "rgb", 255, ImageNetMean, ImageNetStd, padding: null)),
        "detr" => Manifest(null, Input("stretch", "rgb", 255, ImageNetMean, ImageNetStd)),
        "rt-detr" or "d-fine" => Manifest(null, Input("stretch", "rgb", 255)),
        "ssd" => Manifest(null, Input("stretch", "rgb", 255)),
        "yolo-nas" => Manifest(0.7f, Input("letterboxCenter", "rgb", 255)),
        "damo-yolo" => Manifest(0.7f, Input("stretch", "rgb", 1)),
        "rtmdet" => Manifest(0.65f, Input("letterboxTopLeft", "bgr", 1, [103.53f, 116.28f, 123.675f], [57.375f, 57.12f, 58.395f])),
        "centernet" => Manifest(
            null, Input("letterboxCenter", "bgr", 255, [0.40789654f, 0.44719302f, 0.47026115f], [0.28863828f, 0.27408164f, 0.27809835f], padding: 0)),
        "yunet" => Manifest(0.3f, Input("letterboxTopLeft", "bgr", 1, padding: 0)),
        "scrfd" => Manifest(0.4f, Input("letterboxTopLeft", "rgb", 1, [127.5f, 127.5f, 127.5f], [128, 128, 128], padding: 0)),
        _ => [],
    };

    /// <summary>Lines of <c>input</c> with ImageNet's normalisation.</summary>
    public static JsonObject ImageNet() => Manifest(null, new JsonObject { ["mean"] = List(ImageNetMean), ["std"] = List(ImageNetStd) });

    private static JsonObject Manifest(float? iou, JsonObject input)
    {
        var manifest = new JsonObject { ["input"] = input };
        if (iou is { } value)
        {
            manifest["iou"] = value;
        }

        return manifest;
    }

    private static JsonObject Input(
        string resize, string channels, float scale, float[]? mean = null, float[]? std = null, float? padding = 114)
    {
        var input = new JsonObject { ["resize"] = resize, ["channels"] = channels, ["scale"] = scale };
        if (resize != "stretch")
        {
            input["padding"] = padding;
        }

        if (mean is not null && std is not null)
        {
            input["mean"] = List(mean);
            input["std"] = List(std);
        }

        return input;
    }

    private static JsonArray List(float[] values) => new([.. values.Select(v => (JsonNode)v)]);
}
