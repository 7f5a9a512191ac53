namespace Detection.Tool.CommandLine;

/// <summary>Exit codes of commands, for scripts.</summary>
internal static class ExitCode
{
    /// <summary>Success.</summary>
    public const int Done = 0;

    /// <summary>A failure, even of only one picture of many.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong; nothing was done.</summary>
    public const int WrongUsage = 2;

    /// <summary>Ctrl-C, as in shells.</summary>
    public const int Stopped = 130;
}
