namespace Detection.Embedded;

/// <summary>What the first bytes of a connection are.</summary>
internal enum FirstCommandVerdict
{
    /// <summary>The begin of a command.</summary>
    Incomplete,

    /// <summary>The password.</summary>
    Right,

    /// <summary>Another password.</summary>
    WrongPassword,

    /// <summary>Another command.</summary>
    NoPassword,

    /// <summary>No command, or a longer one than any that gives the password.</summary>
    NoCommand,
}
