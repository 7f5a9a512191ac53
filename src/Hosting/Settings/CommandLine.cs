using Detection.Contracts.Messages;

namespace Detection.Hosting.Settings;

/// <summary>Refuses parts of a command line that .NET's reader of settings ignores, or takes for something else.</summary>
internal static class CommandLine
{
    private const string Example = "Write a setting as --Detection:Queue:Capacity=512.";

    /// <summary>The options that have no section.</summary>
    private static readonly string[] Options =
        ["help", "version", "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName", "webroot", "AllowedHosts"];

    /// <summary>What is wrong with a command line, a sentence each.</summary>
    public static IReadOnlyList<string> FindFaults(IReadOnlyList<string> arguments)
    {
        List<string> faults = [];
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            var isOption = argument.StartsWith("--", StringComparison.Ordinal) || argument.StartsWith('/');
            if (!isOption && (argument.StartsWith('-') || !argument.Contains('=', StringComparison.Ordinal)))
            {
                faults.Add($"The word '{argument}' on the command line is no setting. {Example}");
            }
            else if (isOption && FindMeant(argument) is { } meant)
            {
                faults.Add($"The option '{argument.Split('=')[0]}' does not exist. Use '--{meant}'.");

                // The next word is its value.
                i += !argument.Contains('=', StringComparison.Ordinal) && i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal) ? 1 : 0;
            }
            else if (!argument.Contains('=', StringComparison.Ordinal) && (++i == arguments.Count || arguments[i].StartsWith("--", StringComparison.Ordinal)))
            {
                faults.Add($"The setting '{argument}' on the command line has no value. {Example}");
                i--;
            }
        }

        return faults;
    }

    /// <returns><see langword="null"/> for an option that exists, for a setting of a section, and for a name that is not similar to one.</returns>
    private static string? FindMeant(string argument)
    {
        var name = argument.TrimStart('-', '/').Split('=')[0];
        return Options.Contains(name, StringComparer.OrdinalIgnoreCase) || name.Contains(ConfigurationPath.KeyDelimiter, StringComparison.Ordinal) ? null : NearestName.Of(name, Options);
    }
}
