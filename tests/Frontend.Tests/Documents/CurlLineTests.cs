using System.Globalization;
using System.Text.RegularExpressions;

namespace Detection.Frontend.Tests.Documents;

/// <summary>
/// Runs every curl command of the documents with the real curl; new commands are found without a change here. The address
/// <c>localhost:8080</c> is replaced by the tested front end, and <c>https://example.org/</c> by a server of this test, from which
/// the front end fetches. The expected status is success, or the status in a comment after the command (<c># 401</c>). The answer must have
/// exactly the properties of the JSON below the command's block.
/// </summary>
public sealed partial class CurlLineTests(OneProcess frontend) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("detection-curl-").FullName;
    private int _pictures = 9800;

    [Theory]
    [InlineData("README.md", 4)]
    [InlineData("docs/api.md", 32)]
    public async Task Every_curl_command_does_what_the_document_says(string document, int atLeast)
    {
        Shell.Require("bash", "curl", "base64", "sha256sum");
        await File.WriteAllTextAsync(Path.Combine(_folder, ".curlrc"), string.Create(CultureInfo.InvariantCulture, $"""
            silent
            show-error
            connect-to = "localhost:8080:{frontend.Process.Url.Host}:{frontend.Process.Url.Port}"
            write-out = "%{"{stderr}"}[curl %{"{http_code}"}]"

            """));
        var commands = CurlCommand.Find(await File.ReadAllTextAsync(Path.Combine(Repository.Root, document)));

        var faults = new List<string>();
        foreach (var command in commands)
        {
            // A picture that must get 202 must not have a result yet.
            if (command == commands[0] || command.Status == 202)
            {
                NewPictures();
            }

            if (await FaultAsync(command) is { } fault)
            {
                faults.Add($"{document}:{command.Line}: {fault}\n  {command.Text.Replace("\n", "\n  ", StringComparison.Ordinal)}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {commands.Count} commands do not do what they should.\n{string.Join("\n\n", faults)}");
        Assert.True(commands.Count >= atLeast, $"Only {commands.Count} commands were found in {document}.");
    }

    [Fact]
    public void CurlCommand_Find_returns_commands_with_their_expected_statuses()
    {
        var commands = CurlCommand.Find("""
            # Heading
            ```sh
            KEY=$(cat key)
            curl a   # 202 and the state
            echo x |
              curl -d @- b
            curl 'c#404'
            wget d
            ```
            Ask `curl e` as well.
            ```json
            {"one": 1, "two": [{}]}
            {"three": 3}
            ```
            # Heading
            ```json
            {"four": 4}
            ```
            """);

        Assert.Equal(["curl a   # 202 and the state", "echo x |\n  curl -d @- b", "curl 'c#404'", "curl e"], commands.Select(command => command.Text));
        Assert.Equal([202, 0, 0, 0], commands.Select(command => command.Status));
        Assert.Equal([4, 5, 7, 10], commands.Select(command => command.Line));
        Assert.All(commands, command => Assert.Equal("KEY=$(cat key)\n", command.Variables));
        Assert.Equal(["one two", "three"], commands[0].Answers.Select(names => string.Join(' ', names.Order())));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The fault of a command; <see langword="null"/> when there is none.</summary>
    private async Task<string?> FaultAsync(CurlCommand command)
    {
        var text = Elsewhere().Replace(command.Text, match => frontend.Pictures.Url(match.Groups[1].Value, TestPictures.Unique(_pictures++)).ToString());
        var outcome = await Shell.RunAsync(command.Variables + text, _folder);
        var shown = outcome.Output.Contains('\0', StringComparison.Ordinal) ? "(bytes)" : outcome.Output[..Math.Min(outcome.Output.Length, 600)];
        var what = $"exit code {outcome.ExitCode}, {outcome.Errors.Trim()}\n  {shown.ReplaceLineEndings("\n  ")}";
        var statuses = Status().Matches(outcome.Errors).Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).ToList();
        if (outcome.ExitCode != 0 || statuses.Count == 0)
        {
            return what;
        }

        if (statuses.Exists(status => command.Status == 0 ? status is < 200 or > 299 : status != command.Status))
        {
            return $"promises {(command.Status == 0 ? "success (another status stands in a comment behind it: # 404)" : command.Status)}, but {what}";
        }

        // The headers of curl -i are before the first brace.
        var brace = outcome.Output.IndexOf('{', StringComparison.Ordinal);
        var answers = brace < 0 ? [] : CurlCommand.Names(outcome.Output[brace..]);
        return command.Answers.Count > 0 && answers.FirstOrDefault(names => !command.Answers.Any(names.IsSubsetOf)) is { } other
            ? $"answers with {string.Join(", ", other)}, which is not what the document shows, {what}"
            : null;
    }

    private void NewPictures()
    {
        foreach (var name in (string[])["photo.jpg", "other.jpg"])
        {
            File.WriteAllBytes(Path.Combine(_folder, name), TestPictures.Unique(_pictures++));
        }
    }

    [GeneratedRegex(@"https://example\.org/([\w.]+)")]
    private static partial Regex Elsewhere();

    [GeneratedRegex(@"\[curl (\d{3})\]")]
    private static partial Regex Status();
}
