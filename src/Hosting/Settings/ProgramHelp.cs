using System.Reflection;

namespace Detection.Hosting.Settings;

/// <summary>A program of the cluster, as its <c>--help</c> shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Reader">Its letter in the table of settings: <c>S</c> or <c>F</c>.</param>
/// <param name="Summary">What it does.</param>
public sealed record ProgramDescription(string Name, char Reader, string Summary);

/// <summary>Answers <c>--help</c> and <c>--version</c>.</summary>
internal static class ProgramHelp
{
    private const int MeaningWidth = 110;

    private static readonly string[] Help = ["--help", "-h", "-?", "/?"];

    /// <summary>The answer to a command line; <see langword="null"/> for one that starts the program.</summary>
    public static string? Answer(ProgramDescription program, IReadOnlyCollection<string> arguments) =>
        arguments.Contains("--version") ? $"{program.Name} {Version}"
        : arguments.Any(static argument => Help.Contains(argument)) ? Describe(program)
        : null;

    private static string Version => typeof(ProgramHelp).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    private static string Describe(ProgramDescription program) => string.Join('\n',
    [
        $"{program.Name} {Version}",
        program.Summary,
        "",
        $"Usage: {program.Name} [--SETTING=VALUE ...]",
        "       --help     shows this",
        "       --version  shows the version",
        "",
        "A setting is given on the command line (--Detection:Queue:Capacity=512), in the environment",
        "(Detection__Queue__Capacity=512) or in appsettings.json. The 0 of a list stands for its numbers from 0 on.",
        "Durations: 4s, 500ms, 2m, 1h, 7d or 00:00:04. Sizes are bytes.",
        "",
        .. SettingsReference.All
            .Where(setting => setting.Readers.Contains(program.Reader, StringComparison.Ordinal))
            .SelectMany(static setting => Describe(setting)),
        .. program.Reader == 'F' ? ["Without a Redis (ConnectionStrings:redis) everything runs in this process. It then reads these settings, too:", "",
            .. SettingsReference.All
                .Where(static setting => !setting.Readers.Contains('F', StringComparison.Ordinal) && setting.Readers.Length > 0)
                .SelectMany(static setting => Describe(setting))] : Array.Empty<string>(),
    ]);

    private static IEnumerable<string> Describe(KnownSetting setting) =>
        [$"  {setting.Key} (default: {setting.Default})", .. Wrap(setting.Meaning), ""];

    private static IEnumerable<string> Wrap(string text)
    {
        var line = "     ";
        foreach (var word in text.Split(' '))
        {
            if (line.Length + word.Length >= MeaningWidth)
            {
                yield return line;
                line = "     ";
            }

            line += $" {word}";
        }

        yield return line;
    }
}
