using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Tests.Repository;

public sealed class ModelRepositoryTests : IDisposable
{
    private const string Manifest = """
        { "family": "nanodet", "input": { "width": 32, "height": 32 }, "labels": ["thing"] }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-models-").FullName;

    [Fact]
    public void A_model_is_found_with_its_version()
    {
        Write("one", "1");

        var model = Assert.Single(Open().Scan().Models.Values);

        Assert.Equal("one", model.Name);
        Assert.Equal(Path.Combine(_folder, "one", "model.onnx"), model.Path);
        Assert.Matches("^[0-9a-f]{12}$", model.Version);
        Assert.Equal("nanodet", model.Manifest.Family);
    }

    [Fact]
    public void Version_depends_on_graph_and_manifest_only()
    {
        Write("one", "1");
        string version = ModelFile.Read(Path.Combine(_folder, "one")).Version;

        Write("two", "1");
        File.WriteAllText(Path.Combine(_folder, "two", "README.md"), "notes");
        File.WriteAllText(Path.Combine(_folder, "two", "make.py"), "how it was made");
        Assert.Equal(version, ModelFile.Read(Path.Combine(_folder, "two")).Version);

        Write("two", "2");
        Assert.NotEqual(version, ModelFile.Read(Path.Combine(_folder, "two")).Version);

        Write("two", "1", Manifest.Replace("thing", "other", StringComparison.Ordinal));
        Assert.NotEqual(version, ModelFile.Read(Path.Combine(_folder, "two")).Version);
    }

    [Fact]
    public void Replaced_model_is_a_new_version_and_raises_Changed_once()
    {
        Write("one", "1");
        var repository = Open();
        var told = new List<ModelSet>();
        repository.Changed += told.Add;
        string before = repository.Scan().Models["one"].Version;

        repository.Scan();
        Write("one", "2");
        string after = repository.Scan().Models["one"].Version;
        repository.Scan();

        Assert.NotEqual(before, after);
        Assert.Equal([before, after], told.Select(set => set.Models["one"].Version));
        Assert.Same(told[^1], repository.Current);
    }

    [Fact]
    public void Unreadable_model_keeps_its_version_and_reports_the_problem()
    {
        Write("one", "1");
        Write("two", "1");
        var repository = Open();
        string version = repository.Scan().Models["one"].Version;

        Write("one", "2", """{ "family": "nanodet", "input": { "width": 32, "height": 32 }, "labels": [] }""");
        var broken = repository.Scan();
        Write("one", "2");
        var mended = repository.Scan();

        Assert.Equal(version, broken.Models["one"].Version);
        Assert.Contains("\"labels\"", Assert.Single(broken.Problems).Value, StringComparison.Ordinal);
        Assert.True(broken.Models.ContainsKey("two"));
        Assert.NotEqual(version, mended.Models["one"].Version);
        Assert.Empty(mended.Problems);
    }

    [Fact]
    public void Removed_model_is_gone_and_a_missing_folder_keeps_its_models()
    {
        Write("one", "1");
        Write("two", "1");
        var repository = Open();
        repository.Scan();

        Directory.Delete(Path.Combine(_folder, "one"), recursive: true);
        Assert.Equal(["two"], repository.Scan().Models.Keys);

        Directory.Delete(_folder, recursive: true);
        var away = repository.Scan();
        Assert.Equal(["two"], away.Models.Keys);
        Assert.Contains(_folder, Assert.Single(away.Problems).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Bare_file_is_a_model()
    {
        BrightnessModel.Graph().Metadata("names", "{0: 'picture'}").Save(Path.Combine(_folder, "alone.onnx"));
        BrightnessModel.Graph().Save(Path.Combine(_folder, "nameless.onnx"));

        var found = Open().Scan();

        Assert.Equal(("alone", "picture"), (found.Models["alone"].Name, Assert.Single(found.Models["alone"].Manifest.Labels)));
        Assert.Equal((32, 32), (found.Models["alone"].Manifest.Input.Width, found.Models["alone"].Manifest.Input.Height));
        Assert.Contains("\"labels\"", found.Problems["nameless"], StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_name_is_a_problem()
    {
        Write("a b", "1");

        var found = Open().Scan();

        Assert.Empty(found.Models);
        Assert.Contains("rename", found.Problems["a b"], StringComparison.Ordinal);
    }

    [Fact]
    public void Two_files_of_one_name_are_a_problem()
    {
        Write("one", "1");
        File.WriteAllBytes(Path.Combine(_folder, "one.onnx"), [1]);

        var found = Open().Scan();

        Assert.EndsWith("model.onnx", found.Models["one"].Path, StringComparison.Ordinal);
        Assert.Contains("one.onnx", found.Problems["one"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_has_the_name_of_its_only_graph_whatever_that_is_called()
    {
        Write("one", "1");
        string best = Path.Combine(_folder, "one", "best.onnx");
        File.Move(Path.Combine(_folder, "one", "model.onnx"), best);
        var repository = Open();

        var model = repository.Scan().Models["one"];
        Assert.Equal((best, "nanodet"), (model.Path, model.Manifest.Family));
        Assert.Equal(model.Version, ModelFile.Read(Path.Combine(_folder, "one")).Version);

        File.Copy(best, Path.Combine(_folder, "one", "last.ONNX"));
        var two = repository.Scan();
        Assert.Equal(model.Version, two.Models["one"].Version);
        Assert.Contains("The folder one has 2 graphs (best.onnx, last.ONNX) and none of them is model.onnx; rename", two.Problems["one"], StringComparison.Ordinal);

        File.Delete(best);
        var other = repository.Scan();
        Assert.Equal(Path.Combine(_folder, "one", "last.ONNX"), other.Models["one"].Path);
        Assert.Empty(other.Problems);

        Write("one", "2");
        var named = repository.Scan();
        Assert.EndsWith("model.onnx", named.Models["one"].Path, StringComparison.Ordinal);
        Assert.Empty(named.Problems);
    }

    [Fact]
    public void Folders_without_a_model_are_not_listed_and_one_with_several_graphs_is()
    {
        Write("one", "1");
        foreach (string folder in new[] { "empty", "notes", "..data", "pair" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, folder));
        }

        File.WriteAllText(Path.Combine(_folder, "notes", "model.json"), Manifest);
        File.WriteAllText(Path.Combine(_folder, "..data", "best.onnx"), "1");
        File.WriteAllText(Path.Combine(_folder, "pair", "encoder.onnx"), "1");
        File.WriteAllText(Path.Combine(_folder, "pair", "decoder.onnx"), "1");

        var found = Open().Scan();

        Assert.Equal(["one"], found.Models.Keys);
        Assert.Contains("decoder.onnx, encoder.onnx", Assert.Single(found.Problems, problem => problem.Key == "pair").Value, StringComparison.Ordinal);
        Assert.Single(found.Problems);
    }

    [Fact]
    public void A_graph_may_end_in_capital_letters()
    {
        BrightnessModel.Graph().Metadata("names", "{0: 'picture'}").Save(Path.Combine(_folder, "LOUD.ONNX"));

        var model = Open().Scan().Models["LOUD"];
        Assert.Equal("picture", Assert.Single(model.Manifest.Labels));

        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere it is the same file.");
        File.Copy(model.Path, Path.Combine(_folder, "LOUD.onnx"));
        var both = Open().Scan();
        Assert.Equal(Path.Combine(_folder, "LOUD.onnx"), both.Models["LOUD"].Path);
        Assert.Contains("both LOUD.ONNX and LOUD.onnx", both.Problems["LOUD"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watching_sees_models_that_are_added_and_replaced()
    {
        Write("one", "1");
        await WatchAsync(TimeSpan.FromHours(1), _folder, async (repository, until) =>
        {
            await until(set => set.Models.ContainsKey("one"));
            string version = repository.Current.Models["one"].Version;

            Write("two", "1");
            await until(set => set.Models.ContainsKey("two"));
            Write("one", "2");
            await until(set => set.Models["one"].Version != version);
        });
    }

    [Fact]
    public async Task Watching_goes_on_after_a_model_was_swapped_by_two_renames()
    {
        string away = Directory.CreateTempSubdirectory("away").FullName;
        Write("one", "1");
        await WatchAsync(TimeSpan.FromHours(1), _folder, async (repository, until) =>
        {
            await until(set => set.Models.ContainsKey("one"));
            for (var swap = 0; swap < 3; swap++)
            {
                string version = repository.Current.Models["one"].Version;
                Write(Path.Combine(away, "next"), $"swapped {swap}");
                Directory.Move(Path.Combine(_folder, "one"), Path.Combine(away, "old"));
                Directory.Move(Path.Combine(away, "next"), Path.Combine(_folder, "one"));
                Directory.Delete(Path.Combine(away, "old"), recursive: true);

                // The watcher may have stopped before it told of the swap: in place of the regular scan.
                repository.Retry("one");
                await until(set => set.Models.TryGetValue("one", out var model) && model.Version != version);
            }

            Write("two", "1");
            await until(set => set.Models.ContainsKey("two"));
        });
        Directory.Delete(away, recursive: true);
    }

    [Fact]
    public async Task Watching_finds_a_folder_created_later()
    {
        string folder = Path.Combine(_folder, "later");
        await WatchAsync(TimeSpan.FromSeconds(1), folder, async (_, until) =>
        {
            await until(set => set.Problems.Count == 1);
            Write("later/one", "1");
            await until(set => set.Models.ContainsKey("one") && set.Problems.Count == 0);
        });
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static ModelRepository Open(string folder, TimeSpan rescan) => new(
        Options.Create(new ModelOptions { Directory = folder, RescanInterval = rescan, SettleTime = TimeSpan.FromMilliseconds(50) }),
        TimeProvider.System,
        NullLogger<ModelRepository>.Instance);

    private static async Task WatchAsync(
        TimeSpan rescan,
        string folder,
        Func<ModelRepository, Func<Func<ModelSet, bool>, Task>, Task> body)
    {
        var repository = Open(folder, rescan);
        using var signal = new SemaphoreSlim(0);
        repository.Changed += _ => signal.Release();
        using var stop = new CancellationTokenSource();
        var watching = repository.WatchAsync(stop.Token);

        await body(repository, async condition =>
        {
            while (!condition(repository.Current))
            {
                Assert.True(await signal.WaitAsync(TimeSpan.FromSeconds(60)), "No change was seen within a minute.");
            }
        });

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private ModelRepository Open() => Open(_folder, TimeSpan.FromHours(1));

    private void Write(string name, string edition, string manifest = Manifest)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        BrightnessModel.Graph().Metadata("edition", edition).Save(Path.Combine(folder, "model.onnx"));
        File.WriteAllText(Path.Combine(folder, "model.json"), manifest);
    }
}
