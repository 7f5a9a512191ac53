using System.CommandLine;
using Detection.Contracts.Messages;
using Detection.Inference.Manifest;
using Detection.Tool.CommandLine;

namespace Detection.Tool.Models;

/// <summary>Selects classes by name.</summary>
internal static class LabelFilter
{
    /// <summary>The option.</summary>
    public static Option<string?> Option(string description) => new("--labels", "-l") { Description = description, HelpName = "names" };

    /// <summary>The class numbers of the given names; <see langword="null"/> for all.</summary>
    /// <param name="names">Names separated by commas, or null.</param>
    /// <param name="source">The model.</param>
    /// <exception cref="CommandException">The model has no such class.</exception>
    public static IReadOnlySet<int>? Read(string? names, ModelSource source)
    {
        if (names is null)
        {
            return null;
        }

        var classes = new HashSet<int>();
        foreach (var name in names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var found = source.Manifest.Labels
                .Select((label, id) => (label, id))
                .Where(known => string.Equals(known.label, name, StringComparison.OrdinalIgnoreCase))
                .Select(known => known.id)
                .ToList();
            if (found.Count == 0)
            {
                throw new CommandException($"{source.Name} has no class '{name}'. {NearestName.Proposal(name, source.Manifest.Labels, int.MaxValue)}");
            }

            classes.UnionWith(found);
        }

        return classes.Count > 0 ? classes : throw new CommandException("--labels names no class.");
    }
}
