using System.Text.Json.Nodes;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static Detection.Inference.Inspection.InspectionDraft;

namespace Detection.Inference.Inspection;

/// <summary>Finds the family of a graph from its outputs.</summary>
internal static class FamilyReading
{
    private static readonly string[] SsdLines = ["boxFormat", "boxUnit", "background"];

    /// <summary>More than the class numbers of any known detector.</summary>
    private const int MaxClasses = 1000;

    /// <summary>Records the family and its manifest lines.</summary>
    /// <returns>The outputs of a picture; <see langword="null"/> while the input's size is not known.</returns>
    public static IReadOnlyList<OutputTensor>? Read(InspectionDraft draft, string inputName, NodeMetadata input)
    {
        var known = draft.Known;
        if (Size(draft, known, "width") is not { } width || Size(draft, known, "height") is not { } height)
        {
            return null;
        }

        var layout = Text(known["input"]?["layout"]) == "nhwc" ? TensorLayout.Nhwc : TensorLayout.Nchw;
        var picture = new PictureInput(inputName, input, layout, width, height);
        if (!picture.Fits)
        {
            throw draft.Fault($"the graph takes [{string.Join(", ", input.Dimensions)}] and \"input\" says [batch, {string.Join(", ", picture.Shape(1).Skip(1))}]; correct its width, height or layout");
        }

        var (outputs, guess) = Guess(draft, known, picture);
        var family = Text(known["family"]) ?? guess.Family;
        NoteMissing(draft, known, family, guess);
        if (family is not null)
        {
            draft.FromGraph = LinesOf(draft, family, guess.Family == family ? guess.Lines : null, picture);
        }

        return outputs;
    }

    /// <summary>What the graph says, read as <paramref name="family"/>.</summary>
    private static JsonObject LinesOf(InspectionDraft draft, string family, JsonObject? lines, PictureInput picture)
    {
        var all = ManifestTree.Merge(FamilyConventions.Of(family), draft.FromGraph);
        all["family"] = family;
        all = lines is null ? all : ManifestTree.Merge(all, lines);
        if (picture.Type == TensorElementType.UInt8)
        {
            var raw = new JsonObject { ["scale"] = 1, ["mean"] = new JsonArray(0, 0, 0), ["std"] = new JsonArray(1, 1, 1) };
            all = ManifestTree.Merge(all, new JsonObject { ["input"] = raw });
        }

        return all;
    }

    private static void NoteMissing(InspectionDraft draft, JsonObject known, string? family, FamilyGuess guess)
    {
        if (family is null)
        {
            draft.Missing.Add(guess.Why);
        }
        else if (guess.Family == family)
        {
            draft.Notes.Add($"family {family}: {guess.Why}");
            LabelReading.Check(draft, known, guess.Classes);
            if (guess.Asks is { } line && draft.Lines["head"]?["background"] is null)
            {
                draft.Missing.Add(line);
            }

            if (guess.NeedsNormalisation && (draft.Lines["input"]?["mean"] is null || draft.Lines["input"]?["std"] is null))
            {
                draft.Missing.Add("write \"input\": { \"scale\": 1, \"mean\": […], \"std\": […] } with the numbers of the model's img_norm_cfg or data_preprocessor, for they are not in the file");
            }
        }
        else if (family == "ssd" && SsdLines.Any(line => draft.Lines["head"]?[line] is null))
        {
            draft.Missing.Add("write \"head\": { \"boxFormat\": …, \"boxUnit\": …, \"background\": … }: x1y1x2y2, y1x1y2x2 or cxcywh; pixels or fraction; none, first or last, for the outputs do not tell");
        }
    }

    /// <summary>The outputs of a picture, and the family that they show.</summary>
    private static (IReadOnlyList<OutputTensor> Outputs, FamilyGuess Guess) Guess(InspectionDraft draft, JsonObject known, PictureInput input)
    {
        var reader = new GraphReader(draft.Session, what => draft.Fault(what));
        var sides = reader.FindSides(input.Name);
        var trial = reader.Try(input, sides, new RunBounds(GraphTrial.MaxRun));
        try
        {
            var batchNames = input.FixedBatch == 0 ? new HashSet<string> { input.Data.SymbolicDimensions[0] } : [];
            var seen = GraphOutputs.Of(draft.Session, input.FixedBatch, batchNames, trial);
            var (outputs, guess) = Of(objects: false);
            if (seen.HasDoubt && Of(objects: true) is var (others, other) && (Fits(other) || !Fits(guess)) && other.Family is not null)
            {
                return (others, Proven(other, objects: true));
            }

            return (outputs, Proven(guess, objects: false));

            FamilyGuess Proven(FamilyGuess first, bool objects) => first.Others is null ? first
                : Decide(draft, known, input, [first, .. first.Others], new KnownPictureTrial(trial, seen.List(objects), Math.Max(1, input.FixedBatch)));

            (List<OutputTensor> Outputs, FamilyGuess Guess) Of(bool objects)
            {
                var tensors = seen.Tensors(objects);
                var whole = seen.List(objects).Where(o => !o.HasBatch).Select(o => o.Name).ToHashSet();
                return (tensors, FamilyRules.Ask(new OutputShapes(
                    tensors,
                    whole,
                    input.Width,
                    input.Height,
                    (known["labels"] as JsonArray)?.Count,
                    draft.Metadata,
                    [.. sides.Select(side => side.Kind)],
                    name => trial.Run(Math.Max(1, input.FixedBatch), TrialPicture.Black)[name].Values)).Guess);
            }
        }
        catch (OnnxRuntimeException e)
        {
            throw draft.Fault($"the graph does not run on a {input.Width}×{input.Height} picture ({ModelFault.Reason(e)}); correct \"input\"", e);
        }

        bool Fits(FamilyGuess guess) => guess.Family is not null && guess.Family == (Text(known["family"]) ?? guess.Family);
    }

    /// <summary>The reading that a known picture proves; without one, what to write.</summary>
    private static FamilyGuess Decide(InspectionDraft draft, JsonObject known, PictureInput picture, List<FamilyGuess> readings, KnownPictureTrial trial)
    {
        if (Text(known["family"]) is { } named && readings.Exists(reading => reading.Family == named))
        {
            readings.RemoveAll(reading => reading.Family != named);
        }

        var first = readings[0];
        List<JsonObject> lines = [.. readings.Select(reading => ManifestTree.Merge(LinesOf(draft, reading.Family!, reading.Lines, picture), draft.Lines))];
        if (lines.TrueForAll(other => JsonNode.DeepEquals(other, lines[0])))
        {
            // The manifest decides, or there is only one.
            return first;
        }

        var proven = first.IsOnlyFedDifferently ? -1 : trial.Decide([.. readings.Zip(lines, Manifest)]);
        return proven >= 0 ? readings[proven] with { Why = $"{readings[proven].Why}; read so, it finds the same objects in a known picture and in its mirror image" }
            : new FamilyGuess(
                null,
                null,
                first.Question
                ?? $"write \"family\": one of {string.Join(", ", readings.Select(reading => $"{reading.Family} ({reading.Why})").Distinct())}: the outputs fit each, and a known picture shows no difference");

        ModelManifest? Manifest(FamilyGuess reading, JsonObject lines)
        {
            if (lines["labels"] is not JsonArray labels || (reading.Classes is { } classes && labels.Count != classes))
            {
                // The names do not matter here, but their number does.
                lines["labels"] = new JsonArray([.. Enumerable.Range(0, reading.Classes ?? MaxClasses).Select(number => (JsonNode)$"{number}")]);
            }

            try
            {
                return ManifestCheck.ToManifest(lines, draft.Named);
            }
            catch (ModelException)
            {
                return null;
            }
        }
    }

    private static int? Size(InspectionDraft draft, JsonObject known, string member) =>
        known["input"]?[member] is not JsonValue value || !value.TryGetValue<int>(out var number) || number <= 0 ? null
        : number <= 8192 ? number
        : throw draft.Fault($"\"input.{member}\" is {number}; a model of 8 to 8192 pixels can be used");
}
