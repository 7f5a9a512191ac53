using System.Text.Json.Nodes;
using Detection.Inference.Graphs;

namespace Detection.Inference.Inspection;

/// <summary>Graphs that include suppression: their outputs are the final boxes.</summary>
internal static class SuppressedRules
{
    /// <summary>TensorFlow numbers the 80 classes of COCO from 1 to 90, with gaps: 80 names in a row name most of them wrong.</summary>
    public static FamilyGuess? TensorFlow(OutputShapes shapes) => shapes.Shape("detection_boxes") is [_, 4]
        ? new(
            "ssd",
            null,
            "outputs named as TensorFlow's detection models name them",
            Asks: shapes.Labels != 80 ? null
                : "write \"labels\": \"coco90\", for TensorFlow numbers the 80 classes of COCO from 1 to 90 with gaps, or \"head\": { \"background\": \"first\" } when this model numbers its 80 classes without gaps")
        : null;

    public static FamilyGuess? MmDetection(OutputShapes shapes) => shapes.Shape("dets") is [_, 5]
        ? new("ssd", null, "outputs named as MMDetection names them", Final("none"), NeedsNormalisation: true)
        : null;

    public static FamilyGuess? DetNames(OutputShapes shapes) =>
        shapes.Shape("det_boxes") is [_, 4] && shapes.Shape("det_scores") is [_] && shapes.Shape("det_classes") is [_]
            ? new("ssd", null, "outputs named as YOLOv6 and YOLOv7 name them with the suppression inside (for DAMO-YOLO, which names them so too, write \"family\": \"damo-yolo\")", FinalOfYolo())
            : null;

    /// <summary>MMYOLO's easydeploy, for all of its families, whose normalisation differs.</summary>
    public static FamilyGuess? MmYolo(OutputShapes shapes) =>
        shapes.Shape("num_dets") is [] or [1] && shapes.Shape("boxes") is [_, 4] && shapes.Shape("scores") is [_] && shapes.Shape("labels") is [_]
            ? new("ssd", null, "outputs named as MMYOLO names them with the suppression inside", FinalOfYolo(), NeedsNormalisation: true)
            : null;

    /// <summary>super-gradients, for each picture or in rows of all pictures.</summary>
    public static FamilyGuess? YoloNas(OutputShapes shapes) =>
        Shape(shapes, "flat_predictions") is [_, 7]
        || (Shape(shapes, "pred_boxes") is [_, 4] && Shape(shapes, "pred_scores") is [_] && Shape(shapes, "pred_classes") is [_])
            ? new("yolo-nas", null, "outputs named as super-gradients names them with the suppression inside")
            : null;

    /// <summary>D-FINE, which has an input for the size of the picture, and torchvision.</summary>
    public static FamilyGuess? BoxesScoresLabels(OutputShapes shapes)
    {
        if (shapes.Shape("boxes") is not [_, 4] || shapes.Shape("scores") is not [_] || shapes.Shape("labels") is not [_])
        {
            return null;
        }

        return shapes.Sides.Contains(SideInputKind.Size)
            ? new("d-fine", null, "labels, boxes and scores, and an input for the size")
            : new("ssd", null, "labels, boxes and scores as torchvision names them", Final("first"));
    }

    public static FamilyGuess? Yolov7Rows(OutputShapes shapes) => shapes.Outputs.Any(o => o.Shape is [_, 7] && shapes.Whole.Contains(o.Name))
        ? new("ssd", null, "rows of picture, box, class and score as YOLOv7 exports them with the suppression inside", FinalOfYolo())
        : null;

    /// <summary>PaddleDetection: rows of class, score and box. Its families differ in how the picture is normalised.</summary>
    public static FamilyGuess? PaddleRows(OutputShapes shapes)
    {
        const string Why = "rows of class, score and box, and an input scale_factor, as PaddleDetection exports them with the suppression inside";
        return shapes.Sides.Contains(SideInputKind.ScaleFactor) && shapes.Tables is [{ Shape: [_, 6] }]
            ? new(
                "picodet",
                null,
                Why,
                Others: [new("pp-yoloe", null, Why)],
                Question: "write \"family\": \"picodet\" (ImageNet's mean and deviation: PicoDet, PP-YOLOE) or \"pp-yoloe\" (values from 0 to 1: PP-YOLOE+), for PaddleDetection's exports with the suppression inside do not tell how the picture is normalised",
                IsOnlyFedDifferently: true)
            : null;
    }

    /// <summary>super-gradients puts the name of a part of the graph before that of an output.</summary>
    private static int[]? Shape(OutputShapes shapes, string name) => shapes.Shape(name, $"graph2_{name}");

    private static JsonObject FinalOfYolo()
    {
        var lines = Final("none");
        lines["input"] = new JsonObject { ["resize"] = "letterboxCenter", ["padding"] = 114 };
        return lines;
    }

    private static JsonObject Final(string background) => new()
    {
        ["head"] = new JsonObject { ["background"] = background, ["boxFormat"] = "x1y1x2y2", ["boxUnit"] = "pixels" },
    };
}
