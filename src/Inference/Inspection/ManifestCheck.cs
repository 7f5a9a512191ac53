using System.Text.Json.Nodes;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;

namespace Detection.Inference.Inspection;

/// <summary>Makes manifests of which the head of the family can be made.</summary>
public static class ManifestCheck
{
    /// <summary>Reads a complete manifest.</summary>
    /// <exception cref="ModelException">It is not there or not right; the message says which line to write.</exception>
    public static ModelManifest Load(string path) => ToManifest(ManifestJson.Read(path), path);

    /// <summary>Checks everything and makes the manifest.</summary>
    /// <param name="manifest">The tree.</param>
    /// <param name="path">Named in errors.</param>
    internal static ModelManifest ToManifest(JsonObject manifest, string path)
    {
        var result = ManifestJson.ToManifest(manifest, path);

        // The family's own settings: making the head checks them.
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
}
