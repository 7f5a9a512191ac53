using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Tool.Evaluation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Tool.Tests.Evaluation;

/// <summary>How well models find persons, as COCO measures it, at the score floor 0.01 and with suppression at 0.6.</summary>
public sealed class AccuracyTests
{
    private static readonly ModelManifest Coco = ManifestCheck.Load(Path.Combine(Repository.Root, "models", "nanodet-g", "model.json"));

    [Fact]
    public async Task The_default_model_on_the_photos_of_the_repository()
    {
        var scores = await Evaluate(Path.Combine(Repository.Root, "models", "nanodet-g"), Path.Combine(Repository.Root, "tests", "pictures"), "expected.json");

        // A reference run gave 0.640 and 0.875; with nine persons one hit moves AP50 by 0.1.
        Assert.InRange(scores.Ap, 0.55, 1);
        Assert.InRange(scores.Ap50, 0.75, 1);
    }

    [Fact]
    public async Task The_default_model_on_COCO_photos()
    {
        var scores = await Evaluate(Path.Combine(Repository.Root, "models", "nanodet-g"), SharedFiles.FindOrSkip("images/coco-person"), "annotations.json");

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
            // Only the names of its classes are not in the file.
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
        await using var device = new CpuDevice(new DeviceOptions { CpuWorkers = 2 }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
        await using var session = await device.LoadAsync(source, default).WaitAsync(TimeSpan.FromMinutes(2));
        foreach (var batch in dataset.Images.Chunk(16))
        {
            PictureWork[] works = [.. batch.Select(i => new PictureWork(File.ReadAllBytes(Path.Combine(pictures, i.FileName)), null, DateTimeOffset.MaxValue))];
            var outcomes = new PictureOutcome[batch.Length];
            await session.DetectAsync(works, (i, outcome) => outcomes[i] = outcome, default).WaitAsync(TimeSpan.FromMinutes(5));
            for (var i = 0; i < batch.Length; i++)
            {
                Assert.True(outcomes[i].Kind == OutcomeKind.Detected, outcomes[i].Error?.ToString());
                Assert.Equal((batch[i].Width, batch[i].Height), (outcomes[i].Width, outcomes[i].Height));
                evaluator.Add(batch[i].Id, outcomes[i].Boxes, id => source.Manifest.Labels[id] == "person" ? person : null);
            }
        }

        var scores = evaluator.Evaluate();
        TestContext.Current.TestOutputHelper?.WriteLine(scores.ToString());
        return scores;
    }
}
