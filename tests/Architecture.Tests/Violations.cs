using System.Text;

namespace Detection.Architecture.Tests;

/// <summary>
/// Compares the violations of a rule with its list of known violations, <c>Known/RULE.txt</c>: one on each line; <c>#</c> begins a comment. A
/// violation that is not in the list fails the test. A line without a violation must be removed, so that the list only gets shorter.
/// With <c>STRIKE_KNOWN_VIOLATIONS=1</c> in the environment the test removes such lines; it never adds a line.
/// </summary>
internal static class Violations
{
    /// <summary>The known violations of a rule.</summary>
    public static IReadOnlyCollection<string> KnownOf(string rule) => [.. LinesOf(rule).Where(IsViolation)];

    /// <param name="rule">The name of the rule's list. A rule without a list has no known violations.</param>
    /// <param name="meaning">How to correct a violation.</param>
    /// <param name="found">The violations, with their uses.</param>
    public static void Compare(string rule, string meaning, IEnumerable<(string Violation, string Details)> found)
    {
        var lines = LinesOf(rule);
        var known = lines.Where(IsViolation).ToHashSet();
        var violations = found.GroupBy(static one => one.Violation).OrderBy(static group => group.Key, StringComparer.Ordinal).ToList();
        var added = violations.Where(group => !known.Contains(group.Key)).ToList();
        var gone = known.Except(violations.Select(static group => group.Key)).Order(StringComparer.Ordinal).ToList();
        if (gone.Count > 0 && Environment.GetEnvironmentVariable("STRIKE_KNOWN_VIOLATIONS") == "1")
        {
            Strike(rule, [.. lines.Where(line => !gone.Contains(line))]);
            gone.Clear();
        }

        var message = new StringBuilder();
        if (added.Count > 0)
        {
            message.AppendLine().AppendLine(meaning);
            foreach (var violation in added)
            {
                message.AppendLine(violation.Key);
                foreach (var detail in violation.Select(static one => one.Details).Where(detail => detail != violation.Key))
                {
                    message.Append("    ").AppendLine(detail);
                }
            }
        }

        if (gone.Count > 0)
        {
            message.AppendLine().AppendLine($"These lines of {Path.GetRelativePath(Repository.Root, PathOf(rule))} are not true any more. Remove them, or run the test with STRIKE_KNOWN_VIOLATIONS=1.");
            gone.ForEach(line => message.AppendLine(line));
        }

        Assert.True(message.Length == 0, message.ToString());
    }

    public static void Compare(string rule, string meaning, IEnumerable<Use> found) =>
        Compare(rule, meaning, found.Select(static use => (use.ToString(), use.ToString())));

    private static void Strike(string rule, string[] left)
    {
        if (left.Any(IsViolation))
        {
            File.WriteAllLines(PathOf(rule), left);
        }
        else
        {
            File.Delete(PathOf(rule));
        }
    }

    private static string[] LinesOf(string rule) => File.Exists(PathOf(rule)) ? File.ReadAllLines(PathOf(rule)) : [];

    private static string PathOf(string rule) => Path.Combine(Repository.Root, "tests/Architecture.Tests/Known", rule + ".txt");

    private static bool IsViolation(string line) => line.Length > 0 && line[0] != '#';
}
