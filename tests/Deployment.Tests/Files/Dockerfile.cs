using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Files;

/// <summary>One instruction of a Dockerfile, with its continuation lines.</summary>
internal sealed record Instruction(string Stage, string Name, string Arguments);

/// <summary><c>deploy/Dockerfile</c> as a list of instructions. The reader supports only this file: no escape directive, no here-documents.</summary>
internal static partial class Dockerfile
{
    public const string Path = "deploy/Dockerfile";

    /// <summary>The instructions of Docker that this file may use.</summary>
    private static readonly string[] Known = ["ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"];

    public static IReadOnlyList<Instruction> Instructions { get; } = [.. Read()];

    /// <summary>The instructions of a stage, after those of the stages that it is built from.</summary>
    public static IEnumerable<Instruction> Of(string stage)
    {
        var from = Instructions.Single(instruction => instruction.Stage == stage && instruction.Name == "FROM").Arguments.Split(' ').First(static word => !word.StartsWith("--", StringComparison.Ordinal));
        var own = Instructions.Where(instruction => instruction.Stage == stage);
        return Instructions.Any(instruction => instruction.Stage == from) ? Of(from).Concat(own) : own;
    }

    /// <summary>The last instruction of this name in a stage.</summary>
    public static string Last(string stage, string name) => Of(stage).Last(instruction => instruction.Name == name).Arguments;

    private static IEnumerable<Instruction> Read()
    {
        var lines = File.ReadLines(System.IO.Path.Combine(Repository.Root, Path)).Where(static line => !line.StartsWith('#'));
        var text = Continued().Replace(string.Join('\n', lines), " ");
        var stage = "";
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            Assert.True(space > 0 && Known.Contains(line[..space]), $"{Path}: no instruction begins like this: {line}");
            var (name, arguments) = (line[..space], line[(space + 1)..].Trim());
            if (name == "FROM")
            {
                var match = From().Match(arguments);
                Assert.True(match.Success, $"{Path}: FROM without a name for the stage: {arguments}");
                stage = match.Groups[1].Value;
            }

            yield return new Instruction(stage, name, arguments);
        }
    }

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"^(?:--platform=\S+ )?\S+ AS (\S+)$")]
    private static partial Regex From();
}
