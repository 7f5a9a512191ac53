using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>YOLO and EfficientDet: a row, or a column, for each cell or anchor.</summary>
internal static class GridRules
{
    private static readonly int[] Five = [8, 16, 32, 64, 128];

    /// <summary>EfficientDet: nine anchors in each cell. The anchors themselves may be a further output.</summary>
    public static FamilyGuess? AnchorTables(OutputShapes shapes)
    {
        var (tables, anchors) = (shapes.Tables, 9 * shapes.Cells(Five));

        // mmdeploy's RetinaNet has as many, with boxes in pixels.
        if (AreOfMmDeploy(shapes)
            || tables.FirstOrDefault(o => o.Shape is [var r, 4] && r == anchors) is not { Shape: not null } regression
            || tables.FirstOrDefault(o => o.Name != regression.Name && o.Shape[0] == anchors && (o.Shape[1] != 4 || tables.Count == 2)) is not { Shape: not null } classification)
        {
            return null;
        }

        var head = new JsonObject { ["outputs"] = new JsonObject { ["regression"] = regression.Name, ["classification"] = classification.Name } };
        if ((shapes.Width, shapes.Height) == (1536, 1536))
        {
            // The largest model of the family has larger anchors.
            head["anchorScale"] = 5;
        }

        return new("efficientdet", classification.Shape[1], $"two outputs of {anchors} anchors", new JsonObject { ["head"] = head });
    }

    /// <summary>Scores and boxes in pixels, as DAMO-YOLO and YOLO-NAS answer them. DAMO-YOLO names the scores, the first of the two.</summary>
    public static FamilyGuess? DecodedTables(OutputShapes shapes)
    {
        var cells = shapes.Cells(OutputShapes.ThreeMaps);
        if (shapes.Tables is not [var first, var second] || first.Shape[0] != cells || second.Shape[0] != cells || !(first.Shape[1] == 4 || second.Shape[1] == 4))
        {
            return null;
        }

        if (AreOfMmDeploy(shapes))
        {
            return new(
                null,
                null,
                "write \"family\": \"yolo-nas\" (super-gradients), or \"damo-yolo\" with the \"resize\", \"channels\", \"scale\", \"mean\" and \"std\" of its test pipeline in \"input\" (mmdeploy), for both name scores and boxes in pixels so");
        }

        return first.Name == "output" && second.Shape[1] == 4
            ? new(
                "damo-yolo",
                first.Shape[1],
                $"scores, named output, and boxes of {cells} cells",
                new JsonObject { ["head"] = new JsonObject { ["outputs"] = new JsonObject { ["scores"] = first.Name, ["boxes"] = second.Name } } })
            : new(
                null,
                null,
                "write \"family\": \"yolo-nas\" (a letterbox, values from 0 to 1) or \"damo-yolo\" (stretched, values from 0 to 255), for their scores and boxes have the same shapes");
    }

    /// <summary>YOLOv10 and YOLO26.</summary>
    public static FamilyGuess? EndToEnd(OutputShapes shapes)
    {
        var cells = shapes.Cells(OutputShapes.ThreeMaps);
        return shapes.Table.Shape is [<= OutputShapes.MaxQueries and var rows, 6] && rows != cells && rows != 3 * cells
            ? new("yolov10", null, "rows of a box, its score and its class")
            : null;
    }

    /// <summary>YOLOv5. A table of scores alone, whose boxes are an output of their own, has the same number of rows (pytorch-YOLOv4).</summary>
    public static FamilyGuess? AnchorGrid(OutputShapes shapes) =>
        shapes.Table.Shape is [var rows, var width]
        && (rows == 3 * shapes.Cells(OutputShapes.ThreeMaps) || rows == 3 * shapes.Cells(OutputShapes.FourMaps))
        && !shapes.Outputs.Any(o => o.Shape is [var boxes, 1, 4] && boxes == rows)
            ? new("yolov5", width - 5, $"three anchors in each of {rows / 3} cells")
            : null;

    /// <summary>DeepStream-Yolo before June 2023: a box, objectness, score and class in a row for each anchor, as wide as a YOLOv5 of two classes.</summary>
    public static FamilyGuess? DeepStreamOfSeven(OutputShapes shapes) =>
        shapes.Table.Shape is [var rows, 7]
        && (rows == shapes.Cells(OutputShapes.ThreeMaps) || rows == 3 * shapes.Cells(OutputShapes.ThreeMaps))
        && shapes.Rows().All(row => row[6] >= 0 && row[6] == MathF.Floor(row[6]))
        && shapes.Rows().Any(row => row[6] >= 1)
        && shapes.Rows().Any(row => row[5] is > 0 and < 1)
            ? new(
                null,
                null,
                "export the model again with a present version of DeepStream-Yolo, or without it, for rows of a box, its objectness, score and class cannot be read")
            : null;

    /// <summary>YOLOv8, 9, 11 and 12.</summary>
    public static FamilyGuess? Columns(OutputShapes shapes) =>
        shapes.Table.Shape is [var height, var columns] && (columns == shapes.Cells(OutputShapes.ThreeMaps) || columns == shapes.Cells(OutputShapes.FourMaps))
            ? new("yolov8", height - 4, $"columns of {columns} cells")
            : null;

    /// <summary>The transposed output.</summary>
    public static FamilyGuess? RowsOfYolov8(OutputShapes shapes) =>
        shapes.Table.Shape is [var rows, var width] && rows == shapes.Cells(OutputShapes.ThreeMaps) && width == 4 + shapes.Labels
            ? new("yolov8", width - 4, $"rows of {rows} cells")
            : null;

    /// <summary>YOLOX, raw or decoded, and YOLOv6 have tables of the same shape: their values differ.</summary>
    public static FamilyGuess? RowsByValues(OutputShapes shapes)
    {
        if (shapes.Table.Shape is not [var rows, var width] || rows != shapes.Cells(OutputShapes.ThreeMaps))
        {
            return null;
        }

        return !AreInPixels(shapes) ? new("yolox", width - 5, $"one row for each of {rows} cells")
            : HasNoObjectness(shapes) ? YoloV6(rows, width)
            : new("yolox", width - 5, $"one row for each of {rows} cells, in pixels", new JsonObject { ["head"] = new JsonObject { ["decoded"] = true } });
    }

    /// <summary>YOLOv6 with four maps.</summary>
    public static FamilyGuess? RowsOfYolov6(OutputShapes shapes) =>
        shapes.Table.Shape is [var rows, > 5 and var width]
        && rows == shapes.Cells(OutputShapes.FourMaps)
        && shapes.Labels is var labels && (labels is null || labels == width - 5)
        && AreInPixels(shapes)
        && HasNoObjectness(shapes)
            ? YoloV6(rows, width)
            : null;

    /// <summary>DeepStream-Yolo: a box, its score and its class in a row for each cell, before the suppression.</summary>
    public static FamilyGuess? DeepStream(OutputShapes shapes)
    {
        int[] counts = [shapes.Cells(OutputShapes.ThreeMaps), shapes.Cells(OutputShapes.FourMaps)];
        return shapes.Table.Shape is [var rows, 6] && Array.Exists(counts, cells => rows == cells || rows == 3 * cells)
            && shapes.Rows().All(IsBoxWithClass) && shapes.Rows().Any(row => row[2] > row[0])
            ? new("deepstream", null, $"a box, its score and its class in each of {rows} rows, as DeepStream-Yolo exports them")
            : null;

        static bool IsBoxWithClass(float[] row) =>
            row[2] >= row[0] && row[3] >= row[1] && row[4] is >= 0 and <= 1 && row[5] >= 0 && row[5] == MathF.Floor(row[5]);
    }

    private static bool AreOfMmDeploy(OutputShapes shapes) => shapes.Tables.Count == 2 && shapes.Shape("boxes") is [_, 4] && shapes.Shape("scores") is [_, _];

    /// <summary>Centres as offsets from their cell are about 1, those in pixels about half the input.</summary>
    private static bool AreInPixels(OutputShapes shapes) => shapes.Rows().Average(row => row[0]) > shapes.Width / 8;

    private static bool HasNoObjectness(OutputShapes shapes) => shapes.Rows().All(row => row[4] == 1);

    private static FamilyGuess YoloV6(int rows, int width) =>
        new("yolov5", width - 5, $"one row for each of {rows} cells, in pixels, without objectness, as YOLOv6");
}
