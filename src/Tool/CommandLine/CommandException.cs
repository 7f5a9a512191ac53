namespace Detection.Tool.CommandLine;

/// <summary>A command cannot be done. The message is one sentence that says what to change.</summary>
internal sealed class CommandException(string message) : Exception(message);
