using System.Text.Json.Nodes;
using Detection.Client;

namespace Detection.Cluster.Tests;

/// <summary>Models are files: what is added or replaced in their folder is served, without a restart and without a failed request.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-models-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Two_models_are_served_at_once_and_one_is_replaced_under_load()
    {
        Lay("nanodet-g", threshold: 0.4);
        Lay("people", threshold: 0.4, firstLabel: "human");
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        await using var client = new TestClient(cluster.Redis);
        await Eventually.Async(async () => (await client.Detection.GetModelsAsync()).Count == 2, Eventually.Soon, "both models are served");
        var picture = await File.ReadAllBytesAsync(TestPictures.Path("tourist.webp"));
        Assert.Equal("person", (await client.Detection.DetectAsync(picture, Patient)).Objects[0].Label);
        var before = await client.Detection.DetectAsync(picture, Patient with { Model = "people" });
        Assert.Equal("human", before.Objects[0].Label);

        using var loading = new CancellationTokenSource();
        var versions = new HashSet<string>();
        var load = Task.Run(async () =>
        {
            for (var i = 20_000; !loading.IsCancellationRequested; i++)
            {
                // Any failure fails the test.
                var answer = await client.Detection.DetectAsync(TestPictures.Unique(i), Patient with { Model = "people" });
                lock (versions)
                {
                    versions.Add(answer.Model);
                }
            }
        });
        Lay("people", threshold: 0.3, firstLabel: "someone");
        await Eventually.Async(() => CountVersions() == 2 || load.IsCompleted, Eventually.Soon, "the new version serves");
        await loading.CancelAsync();
        await load;

        var after = await client.Detection.DetectAsync(picture, Patient with { Model = "people" });
        Assert.Equal(AnswerSource.Computed, after.Source);
        Assert.Equal("someone", after.Objects[0].Label);
        Assert.NotEqual(before.Model, after.Model);

        int CountVersions()
        {
            lock (versions)
            {
                return versions.Count;
            }
        }
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_leaves_the_old_one_serving_and_says_why()
    {
        Lay("nanodet-g", threshold: 0.4);
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        await using var client = new TestClient(cluster.Redis);
        var before = await client.Detection.DetectAsync(TestPictures.Unique(30_000), Patient);

        await File.WriteAllTextAsync(Path.Combine(_folder, "nanodet-g", "model.onnx"), "this is not a model");

        await Eventually.Async(
            async () => (await client.Detection.GetSilosAsync()).Any(silo => silo.Problems.Any(problem => problem.Contains("nanodet-g", StringComparison.Ordinal))),
            Eventually.Soon,
            "the silo says what is wrong");
        var after = await client.Detection.DetectAsync(TestPictures.Unique(30_001), Patient);
        Assert.Equal(before.Model, after.Model);
    }

    private void Lay(string name, double threshold, string? firstLabel = null)
    {
        var source = Path.Combine(Repository.Root, "models", "nanodet-g");
        var target = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        if (!File.Exists(Path.Combine(target, "model.onnx")))
        {
            File.Copy(Path.Combine(source, "model.onnx"), Path.Combine(target, "model.onnx"));
        }

        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "model.json")))!;
        manifest["threshold"] = threshold;
        if (firstLabel is not null)
        {
            manifest["labels"]![0] = firstLabel;
        }

        File.WriteAllText(Path.Combine(target, "model.json"), manifest.ToJsonString());
    }
}
