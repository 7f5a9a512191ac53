using System.Text.Json.Nodes;
using Detection.Inference.Labels;

namespace Detection.Inference.Inspection;

/// <summary>Reads the class names of a graph.</summary>
internal static class LabelReading
{
    /// <summary>Records the class names of the metadata, unless the manifest has its own.</summary>
    public static void Read(InspectionDraft draft)
    {
        if (draft.Metadata.TryGetValue("task", out var task) && task != "detect")
        {
            throw draft.Fault($"the model is for the task \"{task}\"; only detectors can be used, export one of task \"detect\"");
        }

        if (draft.Lines["labels"] is not null || !draft.Metadata.TryGetValue("names", out var text))
        {
            return;
        }

        var names = PythonLiteral.Names(text);
        if (names is null)
        {
            draft.Missing.Add("write \"labels\": a list of class names, because the metadata line \"names\" cannot be read");
            return;
        }

        if (names.Count == 0)
        {
            throw draft.Fault("its metadata names 0 classes; write \"labels\": a list of the class names in the manifest");
        }

        draft.Notes.Add($"{names.Count} labels: metadata names");
        draft.FromGraph["labels"] = new JsonArray([.. names.Select(n => (JsonNode)n.Trim())]);
    }

    /// <summary>Compares the labels with the number of classes that the outputs have.</summary>
    public static void Check(InspectionDraft draft, JsonObject known, int? classes)
    {
        if (classes is not { } count)
        {
            return;
        }

        if (count <= 0)
        {
            throw draft.Fault($"its outputs {string.Join(", ", GraphTensor.AllOf(draft.Session.OutputMetadata))} have 0 classes; export a detector with at least one class");
        }

        if (known["labels"] is JsonArray labels)
        {
            // Reported here, because the head would only report shapes that do not fit.
            if (labels.Count != count)
            {
                throw draft.Fault($"its outputs have {count} classes and \"labels\" has {labels.Count} names; write all {count} in the order of the class numbers");
            }
        }
        else if (!draft.Missing.Any(m => m.Contains("\"labels\"", StringComparison.Ordinal)))
        {
            // Only proposed, never used: a network with the same number of classes may have been trained on other classes.
            draft.LabelSets = LabelSets.WithCount(count);
            string[] sets = [.. draft.LabelSets.Select(set => $"\"{set}\"")];
            draft.Missing.Add(
                $"write \"labels\": a list of the {count} class names in the order of the class numbers, or the name of a text file beside the manifest with one name a line"
                + (sets.Length > 0 ? $"; {string.Join(" or ", sets)} if the model was trained on that data set, {(sets.Length == 1 ? "which has" : "which have")} {count} classes" : ""));
        }
    }
}
