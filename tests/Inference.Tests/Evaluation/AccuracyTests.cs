using Detection.Inference.Evaluation;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Models;

namespace Detection.Inference.Tests.Evaluation;

/// <summary>How well models find persons, as COCO measures it, at the score floor 0.01 and with suppression at 0.6.</summary>
public sealed class AccuracyTests
{
    private static readonly ModelManifest Coco = ManifestCheck.Load(Path.Combine(Testing.Repository.Root, "models", "nanodet-g", "model.json"));

    [Fact]
    public async Task The_default_model_on_the_photos_of_the_repository()
    {
        var scores = await Evaluate(Path.Combine(Testing.Repository.Root, "models", "nanodet-g"), Path.Combine(Testing.Repository.Root, "tests", "pictures"), "expected.json");

        // A reference run gave 0.640 and 0.875; with nine persons one hit moves AP50 by 0.1.
        Assert.InRange(scores.Ap, 0.55, 1);
        Assert.InRange(scores.Ap50, 0.75, 1);
    }

    [Fact]
    public async Task The_default_model_on_COCO_photos()
    {
        var scores = await Evaluate(Path.Combine(Testing.Repository.Root, "models", "nanodet-g"), SharedFiles.FindOrSkip("images/coco-person"), "annotations.json");

        // A reference run gave 0.362 and 0.614.
        Assert.InRange(scores.Ap, 0.35, 1);
        Assert.InRange(scores.Ap50, 0.60, 1);
    }

    [Fact]
    public async Task YOLOX_Nano_on_COCO_photos()
    {
        var onnx = SharedFiles.FindOrSkip("models/yolox_nano.onnx");
        var folder = Directory.CreateTempSubdirectory("yolox").FullName;
        try
        {
            // All that its file does not tell are the names of its classes.
            File.Copy(onnx, Path.Combine(folder, "model.onnx"));
            File.WriteAllText(Path.Combine(folder, "model.json"), """{ "labels": "names.txt" }""");
            File.WriteAllLines(Path.Combine(folder, "names.txt"), Coco.Labels);

            var scores = await Evaluate(folder, SharedFiles.FindOrSkip("images/coco-person"), "annotations.json");

            // A reference run gave 0.428 and 0.695.
            Assert.InRange(scores.Ap, 0.41, 1);
            Assert.InRange(scores.Ap50, 0.68, 1);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<CocoScores> Evaluate(string model, string pictures, string annotations)
    {
        var source = ModelFile.Read(model);
        source = source with { Manifest = source.Manifest with { ScoreFloor = 0.01f, Iou = 0.6f } };
        var dataset = CocoDataset.Load(Path.Combine(pictures, annotations));
        var person = dataset.Categories.Single(c => c.Name == "person").Id;
        var evaluator = new CocoEvaluator(dataset with { Categories = [.. dataset.Categories.Where(c => c.Id == person)] });
        await using var loaded = await DroppedModel.Load(source);
        foreach (var batch in dataset.Images.Chunk(16))
        {
            var outcomes = await loaded.Detect([.. batch.Select(i => File.ReadAllBytes(Path.Combine(pictures, i.FileName)))]);
            for (var i = 0; i < batch.Length; i++)
            {
                Assert.Equal((batch[i].Width, batch[i].Height), (outcomes[i].Width, outcomes[i].Height));
                evaluator.Add(batch[i].Id, outcomes[i].Boxes, id => source.Manifest.Labels[id] == "person" ? person : null);
            }
        }

        var scores = evaluator.Evaluate();
        TestContext.Current.TestOutputHelper?.WriteLine(scores.ToString());
        return scores;
    }
}
