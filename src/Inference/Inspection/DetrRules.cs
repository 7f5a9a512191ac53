using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>DETR and similar families: a fixed number of queries.</summary>
internal static class DetrRules
{
    private const string CocoNumbers = "\"head\": { \"background\": \"first\" } when the logits are COCO's own numbers from 0 to 90, of which 0 is no class";

    public static FamilyGuess? LogitsAndBoxes(OutputShapes shapes)
    {
        if (shapes.Shape("pred_boxes") is not [_, 4] || shapes.Shape("logits", "pred_logits") is not [_, var logits])
        {
            return null;
        }

        return shapes.Labels == 90 && logits == 91
            ? new(null, null, $"write \"family\": \"rt-detr\" and {CocoNumbers}, or \"family\": \"detr\" when the last of 91 logits is \"nothing\"")
            : shapes.Labels == logits ? new("rt-detr", logits, "logits for the labels alone")
            : shapes.Labels == logits - 1 ? new("detr", logits - 1, "logits for the labels and \"nothing\"")
            : new(null, null, $"write \"family\": \"detr\" (softmax, the last of {logits} logits is \"nothing\") or \"rt-detr\" (a sigmoid for each of {logits})");
    }

    public static FamilyGuess? RfDetr(OutputShapes shapes)
    {
        if (shapes.Shape("dets") is not [_, 4] || shapes.Shape("labels") is not [_, var classes])
        {
            return null;
        }

        // The last logit has no meaning if the head was trained for other names. The published weights have 91 logits, which are COCO's numbers.
        var extra = shapes.Labels == classes - 1;
        var mayBeCoco = extra && classes == 91;
        var lines = FamilyConventions.ImageNet();
        if (extra && !mayBeCoco)
        {
            lines["head"] = new JsonObject { ["background"] = "last" };
        }

        return new("rt-detr", extra ? shapes.Labels : classes, "dets and labels as RF-DETR names them", lines)
        {
            Asks = mayBeCoco ? $"write {CocoNumbers}, as in RF-DETR's published weights, or \"last\" when it was trained on 90 classes of your own" : null,
        };
    }

    /// <summary>
    /// With two classes, or as many queries as a YOLO has cells, only its description distinguishes an RT-DETR of Ultralytics.
    /// </summary>
    public static FamilyGuess? Ultralytics(OutputShapes shapes) =>
        shapes.Table.Shape is [<= OutputShapes.MaxQueries and var queries, var width]
        && shapes.Says("author", "Ultralytics")
        && width == 4 + shapes.Labels
        && ((shapes.Labels != 2 && queries != shapes.Cells(OutputShapes.ThreeMaps)) || shapes.Says("description", "rtdetr"))
            ? new("rt-detr", width - 4, $"{queries} queries in an Ultralytics export")
            : null;
}
