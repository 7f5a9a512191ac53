using System.Text.RegularExpressions;

namespace Detection.Hosting.Settings;

/// <summary>
/// Writes the settings in a sentence in the form in which they were set: <c>Detection__Queue__Lease</c> where that environment variable is set,
/// otherwise <c>Detection:Queue:Lease</c>.
/// </summary>
internal static partial class SettingNames
{
    private const string VariableSeparator = "__";

    /// <summary>Rewrites a sentence whose settings come from the environment. Other settings in it, such as proposed ones, are rewritten too.</summary>
    /// <param name="sentence">Names settings by their keys.</param>
    /// <param name="arguments">The command line, which overrides the environment.</param>
    public static string AsWritten(string sentence, IReadOnlyCollection<string> arguments)
    {
        var variables = Key().Matches(sentence)
            .Select(static match => match.Value)
            .Where(key => !arguments.Any(argument => argument.TrimStart('-', '/').StartsWith(key, StringComparison.OrdinalIgnoreCase)))
            .Select(static key => (Key: key, Name: FindVariable(key)))
            .Where(static variable => variable.Name is not null)
            .DistinctBy(static variable => variable.Key)
            .ToDictionary(static variable => variable.Key, static variable => variable.Name!);
        return variables.Count == 0
            ? sentence
            : Key().Replace(sentence, match => variables.GetValueOrDefault(match.Value, match.Value.Replace(ConfigurationPath.KeyDelimiter, VariableSeparator, StringComparison.Ordinal)));
    }

    private static string? FindVariable(string key) => Environment.GetEnvironmentVariables().Keys.Cast<string>()
        .FirstOrDefault(name => name.Replace(VariableSeparator, ConfigurationPath.KeyDelimiter, StringComparison.Ordinal).Equals(key, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex(@"(Detections?|ConnectionStrings?)(:[A-Za-z0-9]+([._@-]+[A-Za-z0-9]+)*)+", RegexOptions.ExplicitCapture)]
    private static partial Regex Key();
}
