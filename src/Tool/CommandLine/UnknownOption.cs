using System.CommandLine;
using System.CommandLine.Parsing;
using Detection.Contracts.Messages;

namespace Detection.Tool.CommandLine;

/// <summary>Finds misspelt options, which the parser takes for the names of files where a command accepts several.</summary>
internal static class UnknownOption
{
    /// <summary>A sentence about the first one; <see langword="null"/> when there is none. Files whose names begin with <c>-</c> follow <c>--</c>.</summary>
    public static string? Find(ParseResult parsed)
    {
        var word = parsed.Tokens
            .TakeWhile(static token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(static token => token.Type == TokenType.Argument && token.Value is ['-', _, ..])?.Value;
        if (word is null)
        {
            return null;
        }

        var name = word.Split('=')[0];
        var known = parsed.CommandResult.Command.Options.Select(static option => option.Name).ToList();
        return $"There is no option '{name}'. {(NearestName.Of(name, known) is { } meant ? $"Did you mean '{meant}'?" : "--help lists the options.")}";
    }
}
