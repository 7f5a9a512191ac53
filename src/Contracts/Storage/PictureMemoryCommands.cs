namespace Detection.Contracts.Storage;

/// <summary>
/// The commands of a picture memory: the memory of an embedded cluster in which pictures lie apart from its Redis-compatible server. It is
/// spoken to by the protocol of Redis.
/// </summary>
public static class PictureMemoryCommands
{
    /// <summary>
    /// <c>PICTURE.KEEP key ms request</c>: a request that needs the picture is accepted; it expires after so many ms. An empty request has
    /// ended already. Gives 1, or 0 when the picture is not there.
    /// </summary>
    public const string Keep = "PICTURE.KEEP";

    /// <summary><c>PICTURE.RELEASE key request</c>: the request has ended. Gives 1 when the picture was kept for it, otherwise 0.</summary>
    public const string Release = "PICTURE.RELEASE";

    /// <summary><c>PICTURE.REMOVE key</c>: removes the picture unless a request that needs it was accepted. Gives 1 when it is removed, otherwise 0.</summary>
    public const string RemoveUnaccepted = "PICTURE.REMOVE";

    /// <summary>
    /// Commands of Redis that it knows, with the arguments that <see cref="PictureStore"/> gives: <c>SET key bytes PX ms NX</c>,
    /// <c>PEXPIRE key ms [GT]</c> and <c>EXPIRE key s [GT]</c>.
    /// </summary>
    public static IReadOnlyList<string> Ordinary { get; } =
        ["AUTH", "PING", "ECHO", "QUIT", "SET", "GET", "STRLEN", "EXISTS", "EXPIRE", "PEXPIRE", "PTTL", "DEL"];
}
