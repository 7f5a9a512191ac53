using System.Diagnostics;
using System.Text.Json.Nodes;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Objects;

namespace Detection.Cluster.Tests;

/// <summary>Models are files: new and replaced files in their folder are served, without a restart and without a failed request.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };

    /// <summary>
    /// A graph that can be read but fails when it runs: its input is [N, 3, N, N], with one name for the number of pictures and their size.
    /// </summary>
    private const string SameName =
        "CAhCBAoAEA06lgIKKAoGaW1hZ2VzEgFtIgpSZWR1Y2VNZWFuKg8KCGtlZXBkaW1zGACgAQIKEgoGaW1hZ2VzEgFzIgVTaGFwZQoTCgFzCgFhCg"
        + "FiEgFuIgVTbGljZQoeCgFuCgFyEgF0IgZDb25jYXQqCwoEYXhpcxgAoAECChcKAW0KAXQSB291dHB1dDAiBkV4cGFuZBIBZyoRCAEQB0IBYUoI"
        + "AAAAAAAAAAAqEQgBEAdCAWJKCAEAAAAAAAAAKhkIAhAHQgFyShAHAAAAAAAAAFQAAAAAAAAAWiMKBmltYWdlcxIZChcIARITCgMSAU4KAggDCg"
        + "MSAU4KAxIBTmIfCgdvdXRwdXQwEhQKEggBEg4KAxIBTgoCCAcKAxIBTnIWCgVuYW1lcxINWydhJywnYicsJ2MnXXIRCgVpbWdzehIIWzY0LCA2"
        + "NF1yDgoEdGFzaxIGZGV0ZWN0cgwKBnN0cmlkZRICMzI=";

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
        Assert.Equal("person", Label(await client.Detection.DetectAsync(picture, Patient)));
        var before = await client.Detection.DetectAsync(picture, Patient with { Model = "people" });
        Assert.Equal("human", Label(before));

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
        Assert.Equal("someone", Label(after));
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
    public async Task Unreadable_file_keeps_the_old_version_serving_and_is_reported()
    {
        Lay("nanodet-g", threshold: 0.4);
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        await using var client = new TestClient(cluster.Redis);
        var before = await client.Detection.DetectAsync(TestPictures.Unique(30_000), Patient);

        await File.WriteAllTextAsync(Path.Combine(_folder, "nanodet-g", "model.onnx"), "this is not a model");

        await Eventually.Async(
            async () => (await client.Reports.GetSilosAsync()).Any(silo => silo.Problems.Any(problem => problem.Contains("nanodet-g", StringComparison.Ordinal))),
            Eventually.Soon,
            "the silo says what is wrong");
        var told = JsonNode.Parse(await cluster.Frontends[0].Http.GetStringAsync("/v1/models/nanodet-g"))!;
        Assert.Equal(before.Model, (string?)told["id"]);
        Assert.StartsWith("nanodet-g/model.onnx: not an ONNX model that can be loaded", (string?)told["problem"], StringComparison.Ordinal);
        var after = await client.Detection.DetectAsync(TestPictures.Unique(30_001), Patient);
        Assert.Equal(before.Model, after.Model);
    }

    [Fact]
    public async Task Invalid_model_file_stops_neither_the_silo_nor_other_models()
    {
        Lay("nanodet-g", threshold: 0.4);
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        await using var client = new TestClient(cluster.Redis);
        var picture = await File.ReadAllBytesAsync(TestPictures.Path("tourist.webp"));
        var before = await client.Detection.DetectAsync(picture, Patient);

        var names = new[] { "cut", "pipe", "circle", "same" };
        Lay("cut", threshold: 0.4);
        using (var cut = new FileStream(Path.Combine(_folder, "cut", "model.onnx"), FileMode.Open))
        {
            cut.SetLength(cut.Length / 2);
        }

        using (var made = Process.Start("mkfifo", [Path.Combine(_folder, "pipe.onnx")]))
        {
            await made.WaitForExitAsync();
        }

        File.CreateSymbolicLink(Path.Combine(_folder, "circle.onnx"), "circle.onnx");
        await File.WriteAllBytesAsync(Path.Combine(_folder, "same.onnx"), Convert.FromBase64String(SameName));
        Lay("people", threshold: 0.4, firstLabel: "human");

        // Each problem is reported, and the valid model beside them is served.
        await Eventually.Async(
            async () => (await client.Detection.GetModelsAsync()).Any(model => model.Name == "people"), Eventually.Soon, "the model beside them is served");
        foreach (var name in names)
        {
            await Eventually.Async(
                async () => (await Detail(name)).Contains(name, StringComparison.Ordinal) && (await Detail(name)).Contains(':', StringComparison.Ordinal),
                Eventually.Soon,
                $"it is told what is wrong with {name}");
        }

        Assert.Equal("human", Label(await client.Detection.DetectAsync(picture, Patient with { Model = "people" })));
        Assert.Equal(before.Model, (await client.Detection.DetectAsync(TestPictures.Unique(33_000), Patient)).Model);

        // And corrected ones are served.
        File.Delete(Path.Combine(_folder, "cut", "model.onnx"));
        Lay("cut", threshold: 0.4, firstLabel: "mended");
        File.Delete(Path.Combine(_folder, "pipe.onnx"));
        Lay("pipe", threshold: 0.4, firstLabel: "mended");
        await Eventually.Async(
            async () => (await client.Detection.GetModelsAsync()).Count(model => model.Name is "cut" or "pipe") == 2, Eventually.Soon, "the mended ones are served");
        Assert.Equal("mended", Label(await client.Detection.DetectAsync(picture, Patient with { Model = "cut" })));

        async Task<string> Detail(string name)
        {
            using var answer = await cluster.Frontends[0].Http.GetAsync($"/v1/models/{name}");
            return (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"] ?? "";
        }
    }

    [Fact]
    public async Task Silos_with_different_versions_give_every_protocol_the_same_one()
    {
        Lay("old/nanodet-g", threshold: 0.4);
        Lay("new/nanodet-g", threshold: 0.3);
        Dictionary<string, string?> Serving(string folder) => new() { ["Detection__Models__Directory"] = Path.Combine(_folder, folder) };
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1, Serving("old"));
        cluster.AddSilo(Serving("new"));
        await cluster.ReadyAsync();
        await using var client = new TestClient(cluster.Redis);
        await Eventually.Async(
            async () => (await client.Reports.GetSilosAsync()).SelectMany(silo => silo.Models).Count() == 2, Eventually.Soon, "both versions are served");

        var served = Assert.Single(await client.Detection.GetModelsAsync());
        var inferred = JsonNode.Parse(await cluster.Frontends[0].Http.GetStringAsync("/v2/models/nanodet-g"))!;

        Assert.Equal(served.Version, (string?)inferred["versions"]![0]);
        Assert.Equal(served.Id, (await client.Detection.DetectAsync(TestPictures.Unique(30_500), Patient)).Model);
        foreach (var model in (await client.Reports.GetSilosAsync()).SelectMany(silo => silo.Models))
        {
            await cluster.Frontends[0].Http.GetStringAsync($"/v2/models/nanodet-g/versions/{model.Version}/ready");
        }
    }

    [Fact]
    public async Task File_without_a_needed_manifest_is_refused_with_the_line_to_write()
    {
        Lay("nanodet-g", threshold: 0.4);
        File.Copy(Path.Combine(_folder, "nanodet-g", "model.onnx"), Path.Combine(_folder, "bare.onnx"));
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 1, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        await using var client = new TestClient(cluster.Redis);

        var refused = await Assert.ThrowsAsync<DetectionException>(
            () => client.Detection.DetectAsync(TestPictures.Unique(31_000), Patient with { Model = "bare" }));

        Assert.Equal(FailureReason.ModelNotFound, refused.Reason);
        Assert.Contains("No model 'bare' is served: bare.onnx needs a manifest", refused.Message, StringComparison.Ordinal);
        Assert.Contains("write \"labels\": a list of the 80 class names", refused.Message, StringComparison.Ordinal);
        using var answer = await cluster.Frontends[0].Http.GetAsync("/v1/models/bare");
        Assert.Contains("the 80 class names", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"], StringComparison.Ordinal);

        // The line that the message asks for.
        Lay("bare", threshold: 0.4, firstLabel: "someone");
        File.Delete(Path.Combine(_folder, "bare.onnx"));
        await Eventually.Async(
            async () => (await client.Detection.GetModelsAsync()).Any(model => model.Name == "bare"), Eventually.Soon, "it is served");
        var found = await client.Detection.DetectAsync(await File.ReadAllBytesAsync(TestPictures.Path("tourist.webp")), Patient with { Model = "bare" });
        Assert.Equal("someone", Label(found));
    }

    [Fact]
    public async Task Removed_version_is_refused_at_once_and_its_results_can_be_read()
    {
        Lay("nanodet-g", threshold: 0.4);
        Lay("people", threshold: 0.4);
        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0, new Dictionary<string, string?>
        {
            ["Detection__Models__Directory"] = _folder,
            ["Detection__Models__SettleTime"] = "00:00:00.2",
        });
        await using var client = new TestClient(cluster.Redis);
        await Eventually.Async(async () => (await client.Detection.GetModelsAsync()).Count == 2, Eventually.Soon, "both models are served");
        var before = await client.Detection.DetectAsync(TestPictures.Unique(32_000), Patient with { Model = "people" });

        Directory.Delete(Path.Combine(_folder, "people"), recursive: true);
        await Eventually.Async(async () => (await client.Detection.GetModelsAsync()).Count == 1, Eventually.Soon, "the model is gone");

        // A client that still has the model in its cache is answered by the version that is being removed.
        var picture = 32_001;
        foreach (var name in new[] { "people", before.Model })
        {
            await Eventually.Async(
                async () => await ErrorOfAsync(client, picture++, name) == FailureReason.ModelNotFound, Eventually.Soon, $"{name} is refused");
        }

        Assert.NotNull(await client.Detection.FindAsync(before.ImageKey, Patient with { Model = before.Model }));

        static async Task<FailureReason?> ErrorOfAsync(TestClient client, int picture, string model)
        {
            try
            {
                await client.Detection.DetectAsync(TestPictures.Unique(picture), Patient with { Model = model });
                return null;
            }
            catch (DetectionException e)
            {
                return e.Reason;
            }
        }
    }

    /// <summary>Label of the best object.</summary>
    private static string Label(DetectionAnswer answer) => answer.LabelOf(answer.Objects[0]);

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
