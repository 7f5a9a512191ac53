using System.Collections.Frozen;

namespace Detection.Inference.Labels;

/// <summary>
/// The class names of public data sets, so that a manifest can name a set instead of listing them: <c>"labels": "coco80"</c>. The README in this
/// folder has their sources.
/// </summary>
public static class LabelSets
{
    private const string Folder = "Detection.Inference.Labels.";
    private const string Extension = ".txt";

    private static readonly FrozenDictionary<string, Lazy<IReadOnlyList<string>>> Sets = typeof(LabelSets).Assembly.GetManifestResourceNames()
        .Where(static resource => resource.StartsWith(Folder, StringComparison.Ordinal))
        .ToFrozenDictionary(
            static resource => resource[Folder.Length..^Extension.Length],
            static resource => new Lazy<IReadOnlyList<string>>(() => Read(resource)),
            StringComparer.Ordinal);

    /// <summary>Names of the sets.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Sets.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The class names of a set in the order of the class numbers; <see langword="null"/> when there is no such set.</summary>
    /// <param name="name">Name of the set, in lower case.</param>
    public static IReadOnlyList<string>? Find(string name) => Sets.GetValueOrDefault(name)?.Value;

    /// <summary>Names of the sets with exactly so many classes. A network with this number may have been trained on other classes.</summary>
    /// <param name="count">Number of classes.</param>
    public static IReadOnlyList<string> WithCount(int count) => [.. Names.Where(name => Sets[name].Value.Count == count)];

    private static string[] Read(string resource)
    {
        using var stream = typeof(LabelSets).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
