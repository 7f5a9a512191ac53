using Detection.Inference.Models;

namespace Detection.Inference.Heads;

/// <summary>The families of detectors that can be read.</summary>
public static class DetectionHeads
{
    private static readonly Dictionary<string, Family> Known = new(StringComparer.Ordinal)
    {
        ["nanodet"] = new(manifest => new NanoDetHead(manifest), NanoDetHead.Settings),
    };

    /// <summary>Names for the manifest's <c>family</c>.</summary>
    public static IReadOnlyCollection<string> Families => Known.Keys;

    /// <summary>Makes the head that reads a model's outputs.</summary>
    /// <exception cref="ModelException">The family is not known, or does not know one of the settings in <c>head</c>.</exception>
    public static IDetectionHead Create(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!Known.TryGetValue(manifest.Family, out var family))
        {
            throw new ModelException($"\"family\" is {manifest.Family}; write one of {string.Join(", ", Families)}.");
        }

        if (manifest.Labels.Count == 0)
        {
            throw new ModelException("\"labels\" is empty; write the names of the model's classes, at least one.");
        }

        foreach (var setting in ManifestJson.SettingsOf(manifest.Head))
        {
            if (!family.Settings.Contains(setting))
            {
                throw new ModelException(
                    $"\"head.{setting}\" means nothing to the family {manifest.Family}; remove it (known to it: {string.Join(", ", family.Settings)}).");
            }
        }

        return family.Make(manifest);
    }

    private sealed record Family(Func<ModelManifest, IDetectionHead> Make, string[] Settings);
}
