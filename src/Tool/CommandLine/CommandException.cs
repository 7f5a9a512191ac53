namespace Detection.Tool.CommandLine;

/// <summary>What was asked for cannot be done. The message is one sentence that says what to change.</summary>
internal sealed class CommandException(string message) : Exception(message);
