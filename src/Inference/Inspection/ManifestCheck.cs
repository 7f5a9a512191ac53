using System.Text.Json.Nodes;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;

namespace Detection.Inference.Inspection;

/// <summary>Creates manifests that are valid for the head of their family.</summary>
public static class ManifestCheck
{
    /// <summary>Reads a complete manifest.</summary>
    /// <exception cref="ModelException">The file does not exist or is not valid; the message says which line to write.</exception>
    public static ModelManifest Load(string path) => ToManifest(ManifestReader.Read(path), path);

    /// <summary>Checks everything and creates the manifest.</summary>
    /// <param name="manifest">The tree.</param>
    /// <param name="path">Name of the file for errors.</param>
    internal static ModelManifest ToManifest(JsonObject manifest, string path)
    {
        var result = ManifestReader.ToManifest(manifest, path);

        // The settings of the family are checked by creating the head.
        try
        {
            DetectionHeads.Create(result);
        }
        catch (ModelException e)
        {
            throw new ModelException($"{path}: {e.Message}", e);
        }

        return result;
    }

    /// <summary>Compares a manifest with the graph's input, and checks that the head finds its outputs.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="path">Name of the file for errors.</param>
    /// <param name="element">Type of the values of the graph's input, as in the manifest.</param>
    /// <param name="outputs">The outputs of a picture.</param>
    internal static void AgainstGraph(ModelManifest manifest, string path, string element, IReadOnlyList<OutputTensor> outputs)
    {
        if (!string.Equals(element, manifest.Input.Element.ToString(), StringComparison.OrdinalIgnoreCase))
        {
            throw new ModelException($"{path}: the graph takes {element}; write \"element\": \"{element}\" in \"input\".");
        }

        try
        {
            GraphReader.CheckHead(manifest, outputs);
        }
        catch (ModelException e)
        {
            throw new ModelException($"{path}: {e.Message}", e);
        }
    }
}
