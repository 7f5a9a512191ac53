using Detection.Inference.Manifest;
using Detection.Tool.CommandLine;
using Detection.Tool.Evaluation;

namespace Detection.Tool.Eval;

/// <summary>Maps a model's classes to those of a dataset, by name.</summary>
internal sealed class EvaluatedClasses
{
    private readonly Dictionary<int, long> _categories;

    private EvaluatedClasses(Dictionary<int, long> categories, List<CocoCategory> known, List<string> unknown) =>
        (_categories, Categories, Unknown) = (categories, known, unknown);

    /// <summary>Classes of the dataset that the model has.</summary>
    public IReadOnlyList<CocoCategory> Categories { get; }

    /// <summary>Names of annotated classes that the model does not have.</summary>
    public IReadOnlyList<string> Unknown { get; }

    /// <summary>The dataset's number of a model's class; <see langword="null"/> when it is not evaluated.</summary>
    public long? CategoryOf(int classId) => _categories.TryGetValue(classId, out var category) ? category : null;

    /// <summary>Finds the classes that have the same name, ignoring case.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="source">The model.</param>
    /// <param name="wanted">The model's classes to evaluate; <see langword="null"/> for all.</param>
    /// <exception cref="CommandException">There are no such classes.</exception>
    public static EvaluatedClasses Match(CocoDataset dataset, ModelSource source, IReadOnlySet<int>? wanted)
    {
        var annotated = dataset.Annotations.Select(a => a.CategoryId).ToHashSet();
        var classes = new Dictionary<int, long>();
        var known = new List<CocoCategory>();
        var unknown = new List<string>();
        foreach (var category in dataset.Categories)
        {
            var ids = source.Manifest.Labels
                .Select((label, id) => (label, id))
                .Where(c => string.Equals(c.label, category.Name, StringComparison.OrdinalIgnoreCase))
                .Select(c => c.id)
                .ToList();
            if (ids.Count == 0)
            {
                unknown.AddRange(annotated.Contains(category.Id) ? [category.Name] : []);
            }
            else if (wanted is null || ids.Any(wanted.Contains))
            {
                known.Add(category);
                ids.ForEach(id => classes[id] = category.Id);
            }
        }

        return known.Count > 0
            ? new EvaluatedClasses(classes, known, wanted is null ? unknown : [])
            : throw new CommandException(
                $"No class of the annotations ({string.Join(", ", dataset.Categories.Select(c => c.Name))}) is among those to evaluate; --names gives the model the names of the annotations.");
    }
}
