using System.Text.Json;
using Detection.Inference.Repository;

namespace Detection.Inference.Pulling;

/// <summary>
/// Where one pull of a model works: files arrive in <c>.pull/NAME</c> below the models folder, which the repository ignores, and are then renamed into
/// <c>NAME</c>. A lock keeps other pulls of the name away, also those of other processes.
/// </summary>
internal sealed class PullPlace : IDisposable
{
    /// <summary>Name of the graph in the model's folder.</summary>
    public const string GraphName = "model.onnx";

    /// <summary>Name of the manifest in the model's folder.</summary>
    public const string ManifestName = "model.json";

    private const string MarkerName = ".pulled.json";
    private const string InstallingName = "installing";
    private const int WouldBlock = 11;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly string _target;
    private readonly string _staging;
    private readonly FileStream _lock;

    private PullPlace(string target, string staging, FileStream held) => (_target, _staging, _lock) = (target, staging, held);

    /// <summary>Opens the place for a pull of a name.</summary>
    /// <exception cref="PullException">The name is being pulled already, or has a model that was not pulled.</exception>
    public static PullPlace Open(string directory, string name)
    {
        RequireFree(directory, name);
        var staging = Path.Combine(directory, ".pull", name);
        Directory.CreateDirectory(staging);
        try
        {
            return new PullPlace(Path.Combine(directory, name), staging, new FileStream(Path.Combine(directory, ".pull", "." + name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult is WouldBlock or SharingViolation)
        {
            throw new PullException($"The model {name} is being pulled into {directory} already. Wait until that pull has ended.", e) { MayPass = true };
        }
    }

    /// <summary>
    /// What was pulled under a name; <see langword="null"/> when nothing was, its files are not there any more, or a process ended while it renamed them.
    /// </summary>
    public static PulledModel? Find(string directory, string name)
    {
        var folder = Path.Combine(directory, name);
        if (File.Exists(Path.Combine(directory, ".pull", name, InstallingName)))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folder, MarkerName)), PulledModelJson.Default.PulledModel) is { } marker
                && marker.Files.All(file => new FileInfo(Path.Combine(folder, file.Name)) is { Exists: true } there && (file.Name == ManifestName || there.Length == file.Length))
                ? marker
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The path where a file arrives. Its name does not end with <c>.onnx</c>.</summary>
    public string PartOf(string name) => Path.Combine(_staging, name + ".part");

    /// <summary>Deletes the parts of another source, or of another version of this one.</summary>
    public void Begin(string source)
    {
        var path = Path.Combine(_staging, "source");
        if (!File.Exists(path) || File.ReadAllText(path) != source)
        {
            Directory.Delete(_staging, recursive: true);
            Directory.CreateDirectory(_staging);
            File.WriteAllText(path, source);
        }
    }

    /// <summary>
    /// Whether the manifest of the model's folder may be replaced: none is there, or the one that the last pull wrote. A user wrote or changed any other manifest.
    /// </summary>
    public async Task<bool> MayWriteManifestAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(_target, ManifestName);
        return !File.Exists(path)
            || (Marker()?.Files.FirstOrDefault(static file => file.Name == ManifestName) is { } written && written.Sha256 == await FileDigest.OfFileAsync(path, cancellationToken));
    }

    /// <summary>Writes a small file as a part.</summary>
    public void Write(string name, byte[] bytes)
    {
        using var stream = new FileStream(PartOf(name), FileMode.Create, FileAccess.Write);
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Whether a graph may have weights in a file of this name.</summary>
    public static bool IsWeightsName(string name) => name.Length > 0 && Path.GetFileName(name) == name && name[0] != '.' && name is not (GraphName or ManifestName);

    /// <summary>Renames the parts into the model's folder, the graph last: until then the folder has no model, or the one before.</summary>
    /// <param name="model">What was pulled.</param>
    /// <param name="replacesManifest">Whether a manifest of the pull before is removed when this one has none.</param>
    public void Install(PulledModel model, bool replacesManifest)
    {
        var before = Marker();
        Directory.CreateDirectory(_target);
        File.WriteAllBytes(Path.Combine(_staging, InstallingName), []);
        Write(MarkerName, JsonSerializer.SerializeToUtf8Bytes(model, PulledModelJson.Default.PulledModel));
        foreach (var name in model.Files.Select(static file => file.Name).Where(static name => name != GraphName).Append(MarkerName).Append(GraphName))
        {
            File.Move(PartOf(name), Path.Combine(_target, name), overwrite: true);
        }

        foreach (var old in before?.Files.Where(old => model.Files.All(file => file.Name != old.Name) && (replacesManifest || old.Name != ManifestName)) ?? [])
        {
            File.Delete(Path.Combine(_target, old.Name));
        }

        Directory.Delete(_staging, recursive: true);
    }

    public void Dispose() => _lock.Dispose();

    private PulledModel? Marker() => Find(Path.GetDirectoryName(_target)!, Path.GetFileName(_target));

    private static void RequireFree(string directory, string name)
    {
        var folder = new DirectoryInfo(Path.Combine(directory, name));
        var isForeign = folder.Exists && ModelPlace.IsModel(folder) && !File.Exists(Path.Combine(folder.FullName, MarkerName));
        var file = Directory.Exists(directory)
            ? ModelPlace.GraphsIn(new DirectoryInfo(directory)).FirstOrDefault(graph => Path.GetFileNameWithoutExtension(graph.Name) == name)
            : null;
        if (isForeign || file is not null)
        {
            throw new PullException($"{file?.FullName ?? folder.FullName} is there and was not pulled. Remove it, or pull under another name.");
        }
    }
}
