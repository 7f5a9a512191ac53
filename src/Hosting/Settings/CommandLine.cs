namespace Detection.Hosting.Settings;

/// <summary>Refuses parts of a command line that .NET's reader of settings ignores, or takes for something else.</summary>
internal static class CommandLine
{
    private const string Example = "Write a setting as --Detection:Queue:Capacity=512.";

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
            else if (!argument.Contains('=', StringComparison.Ordinal) && (++i == arguments.Count || arguments[i].StartsWith("--", StringComparison.Ordinal)))
            {
                faults.Add($"The setting '{argument}' on the command line has no value. {Example}");
                i--;
            }
        }

        return faults;
    }
}
