using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Documents;

/// <summary><c>docs/commands.md</c> lists every command of the documents, and how it is checked.</summary>
public sealed partial class CommandListTests
{
    private const string List = "docs/commands.md";

    private static readonly string[] Programs =
        ["(set", ".ci/", "STRIKE_KNOWN_VIOLATIONS=1", "base64", "curl", "detection", "docker", "dotnet", "echo", "export", "helm", "kiota", "kubectl", "npm", "openssl", "printf", "redis-cli", "sh", "git", "apt-get"];

    private static readonly string[] Elsewhere = ["README.md", "CONTRIBUTING.md", "deploy/helm/detection/README.md", "samples/AppHost/README.md"];

    [Fact]
    public void Every_command_of_the_documents_is_listed_and_every_row_is_a_command()
    {
        var rows = Rows().Select(static row => row.Command).ToList();
        var commands = Documents().SelectMany(Commands).ToList();

        Assert.True(commands.Count > 100, $"Only {commands.Count} commands were found.");
        Assert.All(commands, command => Assert.True(
            rows.Exists(row => command.Text.StartsWith(row, StringComparison.Ordinal)),
            $"{command.Document}:{command.Line}: {command.Text}\nhas no row in {List}: add its beginning and how it is checked."));
        Assert.All(rows, row => Assert.True(
            commands.Exists(command => command.Text.StartsWith(row, StringComparison.Ordinal)),
            $"{List} lists '{row}', which no document has."));
    }

    [Fact]
    public void Every_row_names_a_test_that_is_there_or_a_day_or_says_that_it_was_not_run()
    {
        foreach (var (command, check) in Rows())
        {
            var files = Named().Matches(check).Select(static match => match.Groups[1].Value).ToList();
            Assert.All(files, file => Assert.True(Path.Exists(Path.Combine(Repository.Root, file)), $"{command}: {file} is not there."));
            Assert.True(files.Count > 0 || Day().IsMatch(check) || check.StartsWith("not run", StringComparison.Ordinal) || check.StartsWith("the same", StringComparison.Ordinal) || check.StartsWith("itself", StringComparison.Ordinal), command);
        }
    }

    private static List<(string Command, string Check)> Rows() =>
    [
        .. File.ReadLines(Path.Combine(Repository.Root, List))
            .Select(static line => Row().Match(line)).Where(static match => match.Success)
            .Select(static match => (match.Groups[1].Value, match.Groups[2].Value)),
    ];

    private static IEnumerable<string> Documents() =>
        Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Where(static file => Path.GetFileName(file) != Path.GetFileName(List))
            .Concat(Elsewhere.Select(static file => Path.Combine(Repository.Root, file)))
            .Where(File.Exists);

    /// <summary>Lines in blocks without a language that begin with a command. Output and drawings are not commands.</summary>
    private static IEnumerable<(string Document, int Line, string Text)> Commands(string file)
    {
        var inside = false;
        string? language = null;
        var number = 0;
        var continued = false;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                (inside, language) = (!inside, line.Trim().Trim('`'));
                continue;
            }

            var text = line.Trim();
            if (inside && !continued && language is "" or "sh" or "bash" && (text.StartsWith("$ ", StringComparison.Ordinal) || Assignment().IsMatch(text) || Array.Exists(Programs, program => text.StartsWith(program, StringComparison.Ordinal) && IsCommand(text, program))))
            {
                yield return (Path.GetRelativePath(Repository.Root, file), number, text);
            }

            continued = inside && (text.EndsWith('\\') || text.EndsWith('|'));
        }
    }

    private static bool IsCommand(string text, string program) => program[^1] == '/' || text.Length == program.Length || text[program.Length] == ' ';

    [GeneratedRegex(@"^\| `([^|]+)` \| (.+) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"`((?:\.ci|tests)/[\w./-]+)`")]
    private static partial Regex Named();

    [GeneratedRegex(@"\b2[0-9]{3}-[0-9]{2}-[0-9]{2}\b")]
    private static partial Regex Day();

    [GeneratedRegex(@"^\w+=\$\(")]
    private static partial Regex Assignment();
}
