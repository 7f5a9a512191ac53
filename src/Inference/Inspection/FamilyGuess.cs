using System.Text.Json.Nodes;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;

namespace Detection.Inference.Inspection;

/// <summary>What the shapes and names of a graph's outputs say about its family.</summary>
/// <param name="Family">The family; <see langword="null"/> when they do not tell.</param>
/// <param name="Classes">Number of classes, where the shapes tell it.</param>
/// <param name="Why">From what, for people; without a family, what to write.</param>
/// <param name="Lines">Manifest lines beyond the family's usual ones.</param>
/// <param name="NeedsNormalisation">Whether <c>input.mean</c> and <c>input.std</c> differ from one such model to the next.</param>
internal sealed record FamilyGuess(string? Family, int? Classes, string Why, JsonObject? Lines = null, bool NeedsNormalisation = false)
{
    /// <summary>Bins of a distance in NanoDet's own configurations.</summary>
    private static readonly int[] Bins = [8, 11];
    private static readonly int[] Three = [8, 16, 32];
    private static readonly int[] Four = [8, 16, 32, 64];
    private static readonly int[] Five = [8, 16, 32, 64, 128];

    /// <summary>Looks at the outputs of a graph.</summary>
    /// <param name="outputs">Names and shapes without the batch dimension.</param>
    /// <param name="whole">Those that have none: their rows are those of all pictures of a run.</param>
    /// <param name="width">The input's width.</param>
    /// <param name="height">The input's height.</param>
    /// <param name="labels">Number of labels, when the metadata or the manifest names them.</param>
    /// <param name="metadata">The file's custom metadata.</param>
    /// <param name="takesSize">Whether the graph has a second input for the picture's size.</param>
    /// <param name="valuesOf">Runs the graph on a black picture and gives an output's values: for what shapes leave open.</param>
    public static FamilyGuess From(
        IReadOnlyList<OutputTensor> outputs,
        IReadOnlySet<string> whole,
        int width,
        int height,
        int? labels,
        IReadOnlyDictionary<string, string> metadata,
        bool takesSize,
        Func<string, float[]> valuesOf)
    {
        int Cells(int[] strides) => strides.Sum(s => ((width + s - 1) / s) * ((height + s - 1) / s));
        int[]? Shape(params string[] names) => outputs.FirstOrDefault(o => names.Contains(o.Name.EndsWith(":0", StringComparison.Ordinal) ? o.Name[..^2] : o.Name)).Shape;

        if (Shape("detection_boxes") is [_, 4])
        {
            return new("ssd", null, "outputs named as TensorFlow's detection models name them");
        }

        if (Shape("dets") is [_, 5])
        {
            return new("ssd", null, "outputs named as MMDetection names them", Final("none"), NeedsNormalisation: true);
        }

        if (Shape("det_boxes") is [_, 4] && Shape("det_scores") is [_] && Shape("det_classes") is [_])
        {
            var lines = Final("none");
            lines["input"] = new JsonObject { ["resize"] = "letterboxCenter", ["padding"] = 114 };
            return new("ssd", null, "outputs named as YOLOv6 and YOLOv7 name them with the suppression inside", lines);
        }

        if (Shape("boxes") is [_, 4] && Shape("scores") is [_] && Shape("labels") is [_])
        {
            return takesSize
                ? new("d-fine", null, "labels, boxes and scores, and an input for the size")
                : new("ssd", null, "labels, boxes and scores as torchvision names them", Final("first"));
        }

        if (Shape("pred_boxes") is [_, 4] && Shape("logits", "pred_logits") is [_, var logits])
        {
            return labels == logits ? new("rt-detr", logits, "logits for the labels alone")
                : labels == logits - 1 ? new("detr", logits - 1, "logits for the labels and \"nothing\"")
                : new(null, null, $"write \"family\": \"detr\" (softmax, the last of {logits} logits is \"nothing\") or \"rt-detr\" (a sigmoid for each of {logits})");
        }

        if (Shape("dets") is [_, 4] && Shape("labels") is [_, var classes])
        {
            // The last logit of a head that was made for other names means nothing; of a head without one each has a name.
            var extra = labels == classes - 1;
            var lines = FamilyConventions.ImageNet();
            if (extra)
            {
                lines["head"] = new JsonObject { ["background"] = "last" };
            }

            return new("rt-detr", extra ? labels : classes, "dets and labels as RF-DETR names them", lines);
        }

        if (outputs.FirstOrDefault(o => o.Shape is [_, 7] && whole.Contains(o.Name)) is { Shape: not null })
        {
            var lines = Final("none");
            lines["input"] = new JsonObject { ["resize"] = "letterboxCenter", ["padding"] = 114 };
            return new("ssd", null, "rows of picture, box, class and score as YOLOv7 exports them with the suppression inside", lines);
        }

        var tables = outputs.Where(o => o.Shape.Length == 2).ToList();
        var anchors = 9 * Cells(Five);
        if (tables.FirstOrDefault(o => o.Shape is [var r, 4] && r == anchors) is { Shape: not null } regression
            && tables.FirstOrDefault(o => o.Name != regression.Name && o.Shape[0] == anchors && (o.Shape[1] != 4 || tables.Count == 2)) is { Shape: not null } classification)
        {
            // The largest of the family has 1536 pixels and larger anchors. The anchors themselves may be an output too, after these.
            var lines = Outputs(("regression", regression.Name), ("classification", classification.Name));
            if ((width, height) == (1536, 1536))
            {
                lines["head"]!["anchorScale"] = 5;
            }

            return new("efficientdet", classification.Shape[1], $"two outputs of {anchors} anchors", lines);
        }

        foreach (var strides in new[] { Three, Four })
        {
            // Distances are four distributions of usually 8 to 17 bins; the other output is the scores.
            var rows = Cells(strides);
            if (tables.Where(o => o.Shape[0] == rows).ToList() is [var a, var b]
                && (IsDistances(b) || labels == a.Shape[1] ? (a, b) : IsDistances(a) || labels == b.Shape[1] ? (b, a) : default) is ({ Shape: not null } scores, var distances)
                && distances.Shape[1] % 4 == 0
                && distances.Shape[1] >= 8)
            {
                return new(
                    "nanodet",
                    scores.Shape[1],
                    $"two outputs of {rows} cells",
                    NanoDet(strides, distances.Shape[1] / 4, 0.5f, ("scores", scores.Name), ("distances", distances.Name)));
            }

            if (PerMap(tables, [.. strides.Select(s => Cells([s]))], labels) is { } bins)
            {
                return new(
                    "nanodet",
                    tables.Select(t => t.Shape[1]).First(w => w != 4 * bins),
                    $"two outputs for each of {strides.Length} maps",
                    NanoDet(strides, bins, CellOffset(strides)));
            }
        }

        // A one-stage detector answers one table; some exports leave the inner ones beside it.
        var table = tables.Count == 1 ? tables[0] : tables.FirstOrDefault(o => o.Name is "output0" or "output");
        if (table.Shape is not [var first, var second])
        {
            return Unknown(outputs);
        }

        bool Says(string key, string word) => metadata.TryGetValue(key, out var text) && text.Contains(word, StringComparison.OrdinalIgnoreCase);

        // With two classes only its description tells an RT-DETR of Ultralytics from rows of box, score and class.
        if (Says("author", "Ultralytics") && second == 4 + labels && first <= 1000 && (labels != 2 || Says("description", "rtdetr")))
        {
            return new("rt-detr", second - 4, $"{first} queries in an Ultralytics export");
        }

        if (second == 6 && first <= 1000 && first != Cells(Three) && first != 3 * Cells(Three))
        {
            return new("yolov10", null, "rows of a box, its score and its class");
        }

        if (first == 3 * Cells(Three) || first == 3 * Cells(Four))
        {
            return new("yolov5", second - 5, $"three anchors in each of {first / 3} cells");
        }

        if (second == Cells(Three) || second == Cells(Four))
        {
            return new("yolov8", first - 4, $"columns of {second} cells");
        }

        if (first == Cells(Three))
        {
            return labels is not null && second == 4 + labels
                ? new("yolov8", second - 4, $"rows of {first} cells")
                : OfRows(valuesOf(table.Name), first, second, width, labels);
        }

        return first == Cells(Four)
            ? new("nanodet", second - 32, $"one row for each of {first} cells on four maps, as NanoDet-Plus", NanoDet(Four, 8, CellOffset(Four)))
            : Unknown(outputs);
    }

    /// <summary>YOLOX, raw or decoded, and NanoDet answer tables of the same shape: their values differ.</summary>
    private static FamilyGuess OfRows(float[] values, int rows, int width, int inputWidth, int? labels)
    {
        bool AreScores(int from, int to) => Enumerable.Range(0, rows).All(row => values.AsSpan((row * width) + from, to - from).IndexOfAnyExceptInRange(0f, 1f) < 0);
        foreach (var bins in Bins)
        {
            var classes = width - (4 * bins);
            if (labels == classes || (labels is null && classes > 0 && AreScores(0, classes) && !AreScores(classes, width)))
            {
                return new("nanodet", classes, $"one row for each of {rows} cells, scores first", NanoDet(Three, bins, CellOffset(Three)));
            }
        }

        // Centres as offsets from their cell are about 1, those in pixels about half the input.
        var decoded = Enumerable.Range(0, rows).Average(row => values[row * width]) > inputWidth / 8;
        return !decoded ? new("yolox", width - 5, $"one row for each of {rows} cells")
            : Enumerable.Range(0, rows).All(row => values[(row * width) + 4] == 1)
                ? new("yolov5", width - 5, $"one row for each of {rows} cells, in pixels, without objectness, as YOLOv6")
                : new("yolox", width - 5, $"one row for each of {rows} cells, in pixels", new JsonObject { ["head"] = new JsonObject { ["decoded"] = true } });
    }

    /// <summary>Bins of NanoDet's distances where each map has outputs of its own, scores and distances; else <see langword="null"/>.</summary>
    private static int? PerMap(List<OutputTensor> tables, int[] cells, int? labels)
    {
        if (tables.Count != 2 * cells.Length || !cells.All(c => tables.Count(t => t.Shape[0] == c) == 2))
        {
            return null;
        }

        var widths = tables.Select(t => t.Shape[1]).Distinct().ToList();
        return widths.Count != 2 ? null
            : Bins.Cast<int?>().FirstOrDefault(bins => widths.Contains(4 * bins!.Value)
                && widths.First(w => w != 4 * bins.Value) is var classes
                && (labels is null ? !Bins.Contains(classes / 4) || classes % 4 != 0 : labels == classes));
    }

    /// <summary>NanoDet's centres lie in the middle of their cells, NanoDet-Plus's, which has four maps, at the corner.</summary>
    private static float CellOffset(int[] strides) => strides.Length == Four.Length ? 0 : 0.5f;

    private static bool IsDistances(in OutputTensor output) => output.Name.Contains("dis", StringComparison.OrdinalIgnoreCase);

    private static FamilyGuess Unknown(IReadOnlyList<OutputTensor> outputs) => new(
        null,
        null,
        $"write \"family\": one of {string.Join(", ", HeadFamilies.Names)} (the outputs {string.Join(", ", outputs.Select(o => $"{o.Name} [{string.Join(", ", o.Shape)}]"))} do not tell)");

    private static JsonObject Final(string background) => new()
    {
        ["head"] = new JsonObject { ["background"] = background, ["boxFormat"] = "x1y1x2y2", ["boxUnit"] = "pixels" },
    };

    private static JsonObject NanoDet(int[] strides, int bins, float cellOffset, params (string Role, string Name)[] names)
    {
        var lines = names.Length > 0 ? Outputs(names) : new JsonObject { ["head"] = new JsonObject() };
        var head = lines["head"]!.AsObject();
        head["strides"] = new JsonArray([.. strides.Select(s => (JsonNode)s)]);
        head["regMax"] = bins - 1;
        head["cellOffset"] = cellOffset;
        return lines;
    }

    private static JsonObject Outputs(params (string Role, string Name)[] names) => new()
    {
        ["head"] = new JsonObject { ["outputs"] = new JsonObject(names.Select(n => KeyValuePair.Create<string, JsonNode?>(n.Role, n.Name))) },
    };
}
