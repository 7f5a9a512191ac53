using System.Text.Json.Nodes;

namespace Detection.Testing;

/// <summary>A folder of models that tests add and remove; each is a copy of the default model with another name or threshold.</summary>
public sealed class ModelFolder : IDisposable
{
    /// <summary>The folder.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("detection-models-").FullName;

    private static readonly string Source = System.IO.Path.Combine(Repository.Root, "models", "nanodet-g");

    /// <summary>The settings of a silo that serves the folder.</summary>
    public (string Name, string Value)[] Settings => [("Detection:Models:Directory", Path), ("Detection:Models:SettleTime", "00:00:00.2")];

    /// <summary>Adds a model, or replaces it by another version.</summary>
    public void Lay(string name, double threshold = 0.4)
    {
        var target = Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
        if (!File.Exists(System.IO.Path.Combine(target, "model.onnx")))
        {
            File.Copy(System.IO.Path.Combine(Source, "model.onnx"), System.IO.Path.Combine(target, "model.onnx"));
        }

        var manifest = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(Source, "model.json")))!;
        manifest["threshold"] = threshold;
        File.WriteAllText(System.IO.Path.Combine(target, "model.json"), manifest.ToJsonString());
    }

    /// <summary>Removes a model.</summary>
    public void Remove(string name) => Directory.Delete(System.IO.Path.Combine(Path, name), recursive: true);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
