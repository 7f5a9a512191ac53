using System.Globalization;

namespace Detection.Contracts.Messages;

/// <summary>Finds the existing name that is most similar to a misspelt one.</summary>
public static class NearestName
{
    /// <summary>Longer texts are not misspelt names and are not compared.</summary>
    private const int MaxLength = 100;

    /// <summary>The known name with the fewest letters added, removed or changed, ignoring case.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="known">The names that exist.</param>
    /// <returns><see langword="null"/> when more than a third of the letters differ, or nothing is known.</returns>
    public static string? Of(string written, IEnumerable<string> known)
    {
        if (written.Length is 0 or > MaxLength)
        {
            return null;
        }

        return known
            .Where(static name => name.Length <= MaxLength)
            .Select(name => (Name: name, Distance: Distance(written.ToLowerInvariant(), name.ToLowerInvariant())))
            .Where(other => other.Distance <= Math.Max(1, Math.Min(written.Length, other.Name.Length) / 3))
            .OrderBy(static other => other.Distance)
            .Select(static other => other.Name)
            .FirstOrDefault();
    }

    /// <summary>A sentence that proposes the most similar name, or lists the existing ones.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="known">The names that exist; at least one.</param>
    /// <param name="most">Maximum number of names to list.</param>
    public static string Proposal(string written, IReadOnlyCollection<string> known, int most = 20)
    {
        if (Of(written, known) is { } name)
        {
            return $"Did you mean '{name}'?";
        }

        var more = known.Count > most ? string.Create(CultureInfo.InvariantCulture, $" and {known.Count - most} more") : "";
        return $"Known are {string.Join(", ", known.Take(most))}{more}.";
    }

    /// <summary>Letters that must be added, removed or changed, or exchanged with their neighbour (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        int[] before = [], row = [.. Enumerable.Range(0, b.Length + 1)];
        for (var i = 1; i <= a.Length; i++)
        {
            var next = new int[b.Length + 1];
            next[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                next[j] = Math.Min(Math.Min(row[j], next[j - 1]) + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    next[j] = Math.Min(next[j], before[j - 2] + 1);
                }
            }

            (before, row) = (row, next);
        }

        return row[^1];
    }
}
