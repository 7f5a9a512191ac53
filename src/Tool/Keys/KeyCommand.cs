using System.Buffers;
using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Detection.Tool.CommandLine;
using Detection.Tool.Terminal;

namespace Detection.Tool.Keys;

/// <summary><c>detection key</c>: creates an API key for a server, and the hash for the server's settings.</summary>
internal static class KeyCommand
{
    /// <summary>Makes a key recognisable if it is published by mistake.</summary>
    private const string Prefix = "dk_";

    private const int MaxNameLength = 100;
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-");

    private static readonly Argument<string> Name = new("name") { Description = "Whose key it is: 1 to 100 letters, digits or . _ @ -" };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("key", "Makes an API key for a server, and the hash that goes into its settings.") { Name };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult line)
    {
        var name = line.GetValue(Name)!;
        if (name.Length > MaxNameLength || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new CommandException($"'{name}' is no name for a key: 1 to {MaxNameLength} letters, digits or . _ @ -");
        }

        var key = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        var screen = new Screen();
        screen.Line($"key      {key}");
        screen.Line($"sha256   {hash}");
        screen.Line($"setting  Detection__Access__Keys__{name}__Sha256={hash}");
        screen.Line($$"""file     { "{{name}}": { "Sha256": "{{hash}}" } }""");
        screen.Note("The key is shown only once and is not stored: give it to its user. The server needs the setting, or the entry in its keys file.");
        return ExitCode.Done;
    }
}
