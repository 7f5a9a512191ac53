using System.Text.Json.Nodes;
using Detection.Inference.Heads;

namespace Detection.Inference.Models;

/// <summary>What the shapes and names of a graph's outputs say about its family.</summary>
/// <param name="Family">The family; <see langword="null"/> when they do not tell.</param>
/// <param name="Classes">Number of classes, where the shapes tell it.</param>
/// <param name="Why">From what, for people; without a family, what to write.</param>
/// <param name="Lines">Manifest lines beyond the family's usual ones.</param>
internal sealed record FamilyGuess(string? Family, int? Classes, string Why, JsonObject? Lines = null)
{
    private static readonly int[] Three = [8, 16, 32];
    private static readonly int[] Four = [8, 16, 32, 64];
    private static readonly int[] Five = [8, 16, 32, 64, 128];

    /// <summary>Looks at the outputs of a graph.</summary>
    /// <param name="outputs">Names and shapes without the batch dimension.</param>
    /// <param name="width">The input's width.</param>
    /// <param name="height">The input's height.</param>
    /// <param name="labels">Number of labels, when the metadata or the manifest names them.</param>
    /// <param name="metadata">The file's custom metadata.</param>
    /// <param name="takesSize">Whether the graph has a second input for the picture's size.</param>
    public static FamilyGuess From(
        IReadOnlyList<OutputTensor> outputs, int width, int height, int? labels, IReadOnlyDictionary<string, string> metadata, bool takesSize)
    {
        int Cells(int[] strides) => strides.Sum(s => ((width + s - 1) / s) * ((height + s - 1) / s));
        int[]? Shape(params string[] names) => outputs.FirstOrDefault(o => names.Contains(o.Name.EndsWith(":0", StringComparison.Ordinal) ? o.Name[..^2] : o.Name)).Shape;

        if (Shape("detection_boxes") is [_, 4])
        {
            return new("ssd", null, "outputs named as TensorFlow's detection models name them");
        }

        if (Shape("dets") is [_, 5])
        {
            return new("ssd", null, "outputs named as MMDetection names them: check \"input\" against its pipeline", Final("none"));
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
            return new("rt-detr", classes, "dets and labels as RF-DETR names them", FamilyConventions.ImageNet());
        }

        var tables = outputs.Where(o => o.Shape.Length == 2).ToList();
        var anchors = 9 * Cells(Five);
        if (tables.FirstOrDefault(o => o.Shape is [var r, 4] && r == anchors) is { Shape: not null } regression
            && tables.FirstOrDefault(o => o.Name != regression.Name && o.Shape[0] == anchors && (o.Shape[1] != 4 || tables.Count == 2)) is { Shape: not null } classification)
        {
            return new("efficientdet", classification.Shape[1], $"two outputs of {anchors} anchors");
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
                    NanoDet(strides, (distances.Shape[1] / 4) - 1, 0.5f, ("scores", scores.Name), ("distances", distances.Name)));
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
                : new("yolox", second - 5, $"one row for each of {first} cells");
        }

        return first == Cells(Four)
            ? new("nanodet", second - 32, $"one row for each of {first} cells on four maps, as NanoDet-Plus", NanoDet(Four, 7, 0))
            : Unknown(outputs);
    }

    private static bool IsDistances(in OutputTensor output) => output.Name.Contains("dis", StringComparison.OrdinalIgnoreCase);

    private static FamilyGuess Unknown(IReadOnlyList<OutputTensor> outputs) => new(
        null,
        null,
        $"write \"family\": one of {string.Join(", ", DetectionHeads.Families)} (the outputs {string.Join(", ", outputs.Select(o => $"{o.Name} [{string.Join(", ", o.Shape)}]"))} do not tell)");

    private static JsonObject Final(string background) => new()
    {
        ["head"] = new JsonObject { ["background"] = background, ["boxFormat"] = "x1y1x2y2", ["boxUnit"] = "pixels" },
    };

    private static JsonObject NanoDet(int[] strides, int regMax, float cellOffset, params (string Role, string Name)[] names)
    {
        var head = new JsonObject
        {
            ["strides"] = new JsonArray([.. strides.Select(s => (JsonNode)s)]),
            ["regMax"] = regMax,
            ["cellOffset"] = cellOffset,
        };
        if (names.Length > 0)
        {
            head["outputs"] = new JsonObject(names.Select(n => KeyValuePair.Create<string, JsonNode?>(n.Role, n.Name)));
        }

        return new JsonObject { ["head"] = head };
    }
}
