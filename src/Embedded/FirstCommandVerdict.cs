namespace Detection.Embedded;

/// <summary>Classification of the first bytes of a connection.</summary>
internal enum FirstCommandVerdict
{
    /// <summary>The start of a command.</summary>
    Incomplete,

    /// <summary>The correct password.</summary>
    Right,

    /// <summary>Another password.</summary>
    WrongPassword,

    /// <summary>Another command.</summary>
    NoPassword,

    /// <summary>Not a command, or longer than any command with a password.</summary>
    NoCommand,
}
