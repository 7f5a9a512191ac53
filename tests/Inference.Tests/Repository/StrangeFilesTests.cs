using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Inference.Tests.Devices;
using Detection.Inference.Tests.Onnx;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Tests.Repository;

/// <summary>Other files in the folder of models: each is a separate problem, and the models are found.</summary>
public sealed class StrangeFilesTests : IDisposable
{
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("detection-strange-").FullName;
    private readonly string _outside = Directory.CreateTempSubdirectory("detection-outside-").FullName;
    private readonly List<IDisposable> _open = [];

    /// <summary>The kind of file, and a word of its problem.</summary>
    public static TheoryData<string, string> Strange() => new()
    {
        { "pipe", "pipe" },
        { "socket", "pipe" },
        { "device", "device" },
        { "endless manifest", "device" },
        { "manifest is a pipe", "pipe" },
        { "labels are a pipe", "pipe" },
        { "link to nowhere", "no file" },
        { "links in a circle", "circle" },
        { "empty", "not an ONNX model" },
        { "huge", "at most" },
        { "huge manifest", "at most" },
        { "text", "not an ONNX model" },
        { "manifest nested deeply", "model.json" },
        { "manifest through a link", "is a link that leads outside" },
        { "manifest through links and back", "is a link that leads outside" },
        { "labels through a link", "outside" },
        { "labels through a linked folder", "same folder" },
        { "two outputs of one name", "outputs with the name" },
        { "weights are a pipe", "pipe" },
        { "weights are a device", "outside" },
        { "weights are a folder", "folder" },
        { "weights above", "outside" },
        { "weights absolute", "outside" },
        { "weights through a link", "outside" },
        { "weights through a linked folder", "outside" },
        { "weights in memory", "no file" },
        { "weights without a name", "outside" },
        { "huge weights", "at most" },
    };

    [Theory]
    [MemberData(nameof(Strange))]
    public async Task Invalid_file_is_a_problem_of_its_model_and_a_corrected_one_is_served(string what, string word)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files.");
        Good("before");
        Make(what);
        Good("z-after");
        var repository = new ModelRepository(
            Options.Create(new ModelOptions { Directory = _folder }), TimeProvider.System, NullLogger<ModelRepository>.Instance);

        var found = await ScanAsync(repository, "before", "z-after");

        var (name, problem) = Assert.Single(found.Problems);
        Assert.Equal("odd", name);
        Assert.Contains(word, problem, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder, problem, StringComparison.Ordinal);

        foreach (var old in Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "odd")))
        {
            if (Directory.Exists(old) && new DirectoryInfo(old).LinkTarget is null)
            {
                Directory.Delete(old, recursive: true);
            }
            else
            {
                File.Delete(old);
            }
        }

        Good("odd");
        var mended = await ScanAsync(repository, "before", "odd", "z-after");
        Assert.Empty(mended.Problems);
    }

    [Fact]
    public async Task Circular_folders_are_scanned_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        Good("odd");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "odd", "up"), "..");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "odd", "self"), "../odd");
        Directory.CreateDirectory(Path.Combine(_folder, "folder.onnx"));

        var found = await ScanAsync(Open(), "odd");

        Assert.Empty(found.Problems);
    }

    /// <summary>Scans until exactly these models are found: on a busy machine the first scan reports a file as loading.</summary>
    private static async Task<ModelSet> ScanAsync(ModelRepository repository, params string[] models)
    {
        var found = ModelSet.Empty;
        await Eventually.Async(
            async () =>
            {
                found = await Task.Run(() => repository.Scan());
                return found.Models.Keys.Order(StringComparer.Ordinal).SequenceEqual(models);
            },
            Enough,
            $"{string.Join(", ", models)} are found");
        return found;
    }

    /// <summary>Kubernetes mounts a ConfigMap like this: the files are links into a folder that is replaced.</summary>
    [Fact]
    public void A_file_behind_a_link_is_served_and_its_replacement_noticed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        string inner = Directory.CreateDirectory(Path.Combine(_folder, "odd")).FullName;
        foreach (var edition in new[] { "1", "2" })
        {
            var data = Directory.CreateDirectory(Path.Combine(inner, $"..{edition}")).FullName;
            BrightnessModel.Graph().Metadata("edition", edition).Metadata("names", "['x']").Save(Path.Combine(data, "model.onnx"));
            File.WriteAllText(Path.Combine(data, "model.json"), """{ "labels": "names.txt" }""");
            File.WriteAllText(Path.Combine(data, "names.txt"), $"label {edition}");
        }

        Directory.CreateSymbolicLink(Path.Combine(inner, "..data"), "..1");
        foreach (var file in new[] { "model.onnx", "model.json", "names.txt" })
        {
            File.CreateSymbolicLink(Path.Combine(inner, file), $"..data/{file}");
        }

        var repository = Open();
        var before = repository.Scan();
        Assert.Empty(before.Problems);
        Assert.Equal(["label 1"], before.Models["odd"].Manifest.Labels);

        Directory.Delete(Path.Combine(inner, "..data"));
        Directory.CreateSymbolicLink(Path.Combine(inner, "..data"), "..2");

        var after = repository.Scan();
        Assert.NotEqual(before.Models["odd"].Version, after.Models["odd"].Version);
        Assert.Equal(["label 2"], after.Models["odd"].Manifest.Labels);
    }

    /// <summary>A shared store of models is used like this: whoever creates these links can read their targets.</summary>
    [Fact]
    public void Linked_folder_and_linked_graph_are_served()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        BrightnessModel.Graph().Metadata("names", "['x']").Save(Path.Combine(_outside, "model.onnx"));
        File.WriteAllText(Path.Combine(_outside, "model.json"), """{ "labels": "names.txt" }""");
        File.WriteAllText(Path.Combine(_outside, "names.txt"), "there");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "folder"), _outside);
        Directory.CreateDirectory(Path.Combine(_folder, "graph"));
        File.CreateSymbolicLink(Path.Combine(_folder, "graph", "model.onnx"), Path.Combine(_outside, "model.onnx"));
        File.WriteAllText(Path.Combine(_folder, "graph", "model.json"), """{ "labels": ["here"] }""");
        var link = _folder + "-link";
        Directory.CreateSymbolicLink(link, _folder);
        try
        {
            var found = new ModelRepository(Options.Create(new ModelOptions { Directory = link }), TimeProvider.System, NullLogger<ModelRepository>.Instance).Scan();

            Assert.Empty(found.Problems);
            Assert.Equal(["there"], found.Models["folder"].Manifest.Labels);
            Assert.Equal(["here"], found.Models["graph"].Manifest.Labels);
        }
        finally
        {
            Directory.Delete(link);
        }
    }

    /// <summary>kserve/kserve 4753: the folder is a link to the root of a process in another container, whose paths differ from those here.</summary>
    [Fact]
    public void A_folder_below_the_root_of_another_process_is_read_there()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc elsewhere.");
        File.WriteAllText(Path.Combine(Good("odd"), "model.json"), """{ "labels": ["there"] }""");
        string root = $"/proc/{Environment.ProcessId}/root";
        string link = Path.Combine(_outside, "models");
        Directory.CreateSymbolicLink(link, $"/proc/self/root{_folder}");

        var found = new ModelRepository(Options.Create(new ModelOptions { Directory = link }), TimeProvider.System, NullLogger<ModelRepository>.Instance).Scan();

        Assert.Empty(found.Problems);
        Assert.Equal(["there"], found.Models["odd"].Manifest.Labels);
        Assert.Equal(root + _folder, PlainFile.RealPath(link));

        // A root has no parent.
        string above = Path.Combine(_outside, "above");
        Directory.CreateSymbolicLink(above, "/proc/self/root/../../etc");
        Assert.Equal($"{root}/etc", PlainFile.RealPath(above));
    }

    [Fact]
    public void Names_from_a_file_are_cut_and_cannot_forge_a_log()
    {
        var name = "\u001b[2J\r\n" + new string('x', 1_000_000);
        var graph = new OnnxGraph();
        string input = graph.Input("images", TensorElementType.Float, 1, 3, 32, 32);
        graph.Output(name, graph.Node("Identity", [input]), TensorElementType.Float, 1, 3, 32, 32);
        graph.Save(Path.Combine(_folder, "odd.onnx"));

        var problem = Assert.Single(Open().Scan().Problems).Value;

        Assert.InRange(problem.Length, 1, 2100);
        Assert.DoesNotContain(problem, char.IsControl);
    }

    public void Dispose()
    {
        _open.ForEach(open => open.Dispose());
        Directory.Delete(_folder, recursive: true);
        Directory.Delete(_outside, recursive: true);
    }

    private ModelRepository Open() => new(
        Options.Create(new ModelOptions { Directory = _folder }), TimeProvider.System, NullLogger<ModelRepository>.Instance);

    private string Good(string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        BrightnessModel.Graph().Metadata("names", "['x']").Save(Path.Combine(folder, "model.onnx"));
        return folder;
    }

    private void Make(string what)
    {
        string folder = Good("odd");
        string onnx = Path.Combine(folder, "model.onnx");
        string manifest = Path.Combine(folder, "model.json");
        switch (what)
        {
            case "pipe":
                Pipe(onnx);
                break;
            case "socket":
                File.Delete(onnx);
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                socket.Bind(new UnixDomainSocketEndPoint(onnx));
                _open.Add(socket);
                break;
            case "device":
                Link(onnx, "/dev/zero");
                break;
            case "endless manifest":
                Link(manifest, "/dev/zero");
                break;
            case "manifest is a pipe":
                Pipe(manifest);
                break;
            case "labels are a pipe":
                File.WriteAllText(manifest, """{ "labels": "names.txt" }""");
                Pipe(Path.Combine(folder, "names.txt"));
                break;
            case "manifest through a link":
                File.WriteAllText(Path.Combine(_outside, "model.json"), """{ "labels": ["secret"] }""");
                Link(manifest, Path.Combine(_outside, "model.json"));
                break;
            case "manifest through links and back":
                // The file of a neighbour does not belong to this model either.
                File.WriteAllText(Path.Combine(_folder, "before", "other.json"), """{ "labels": ["secret"] }""");
                Directory.CreateSymbolicLink(Path.Combine(folder, "inner"), "../before");
                Link(manifest, "inner/other.json");
                break;
            case "labels through a link":
                File.WriteAllText(manifest, """{ "labels": "names.txt" }""");
                File.WriteAllText(Path.Combine(_outside, "names.txt"), "secret");
                Link(Path.Combine(folder, "names.txt"), Path.Combine(_outside, "names.txt"));
                break;
            case "labels through a linked folder":
                File.WriteAllText(manifest, """{ "labels": "inner/names.txt" }""");
                File.WriteAllText(Path.Combine(_outside, "names.txt"), "secret");
                Directory.CreateSymbolicLink(Path.Combine(folder, "inner"), _outside);
                break;
            case "two outputs of one name":
                BrightnessModel.Graph().Again("scores", "batch", 21, 1).Metadata("names", "['x']").Save(onnx);
                break;
            case "link to nowhere":
                Link(onnx, "nowhere");
                break;
            case "links in a circle":
                Link(onnx, "other.onnx");
                Link(Path.Combine(folder, "other.onnx"), "model.onnx");
                break;
            case "empty":
                File.WriteAllBytes(onnx, []);
                break;
            case "huge":
                Sparse(onnx);
                break;
            case "huge manifest":
                Sparse(manifest);
                break;
            case "text":
                File.WriteAllText(onnx, "<html>404 Not Found</html>");
                break;
            case "manifest nested deeply":
                File.WriteAllText(manifest, string.Concat(Enumerable.Repeat("{ \"input\": ", 100_000)));
                break;
            case "weights are a pipe":
                Pipe(Weights(onnx, "best.data"));
                break;
            case "weights are a device":
                Link(Weights(onnx, "best.data"), "/dev/zero");
                break;
            case "weights are a folder":
                Directory.CreateDirectory(Weights(onnx, "best.data"));
                break;
            case "weights above":
                File.WriteAllBytes(Path.Combine(_folder, "above.data"), new byte[84]);
                Weights(onnx, "../above.data");
                break;
            case "weights absolute":
                File.WriteAllBytes(Path.Combine(_outside, "w.data"), new byte[84]);
                Weights(onnx, Path.Combine(_outside, "w.data"));
                break;
            case "weights through a link":
                File.WriteAllBytes(Path.Combine(_outside, "w.data"), new byte[84]);
                Link(Weights(onnx, "best.data"), Path.Combine(_outside, "w.data"));
                break;
            case "weights through a linked folder":
                File.WriteAllBytes(Path.Combine(_outside, "w.data"), new byte[84]);
                Weights(onnx, "inner/w.data");
                Directory.CreateSymbolicLink(Path.Combine(folder, "inner"), _outside);
                break;
            case "weights in memory":
                // The runtime's own name for weights at an address of its process.
                Weights(onnx, "*/_ORT_MEM_ADDR_/*");
                break;
            case "weights without a name":
                Weights(onnx, "");
                break;
            case "huge weights":
                Sparse(Weights(onnx, "best.data"));
                break;
            default:
                throw new NotSupportedException(what);
        }
    }

    private static string Weights(string onnx, string location)
    {
        var graph = new OnnxGraph();
        string picture = graph.Input("images", TensorElementType.Float, "batch", 3, 32, 32);
        string none = graph.Node("Mul", [graph.Node("ReduceMean", [picture]), graph.Floats([0])]);
        graph.Output("output0", graph.Node("Add", [graph.External(location, 1, 5, 21), none]), TensorElementType.Float, "batch", 5, 21);
        graph.Metadata("names", "['thing']").Save(onnx);
        return Path.Combine(Path.GetDirectoryName(onnx)!, location);
    }

    private static void Link(string path, string target)
    {
        File.Delete(path);
        File.CreateSymbolicLink(path, target);
    }

    private static void Sparse(string path)
    {
        using var file = File.Create(path);
        file.SetLength(64L * 1024 * 1024 * 1024);
    }

    private static void Pipe(string path)
    {
        File.Delete(path);
        using var made = Process.Start("mkfifo", [path]);
        made.WaitForExit();
    }
}
