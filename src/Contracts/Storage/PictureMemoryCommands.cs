namespace Detection.Contracts.Storage;

/// <summary>
/// The commands of a picture memory: the memory of an embedded cluster in which pictures lie apart from its Redis-compatible server. It is
/// spoken to by the protocol of Redis.
/// </summary>
public static class PictureMemoryCommands
{
    /// <summary>
    /// <c>PICTURE.STORE key ms caller bytes</c>: stores a picture unless it is there, for a request that is not accepted yet; it expires
    /// after so many ms. It counts to the caller's share; an empty caller has none. Gives OK, nothing when it is there, or
    /// an error that begins with <see cref="Full"/>, <see cref="Closed"/> or <see cref="ShareUsed"/>.
    /// </summary>
    public const string Store = "PICTURE.STORE";

    /// <summary>
    /// <c>PICTURE.KEEP key ms request</c>: a request that needs the picture is accepted; it expires after so many ms. An empty request has
    /// ended already. Gives 1, or 0 when the picture is not there.
    /// </summary>
    public const string Keep = "PICTURE.KEEP";

    /// <summary><c>PICTURE.RELEASE key request</c>: the request has ended. Gives 1 when the picture was kept for it, otherwise 0.</summary>
    public const string Release = "PICTURE.RELEASE";

    /// <summary><c>PICTURE.REMOVE key</c>: removes the picture unless a request that needs it was accepted. Gives 1 when it is removed, otherwise 0.</summary>
    public const string RemoveUnaccepted = "PICTURE.REMOVE";

    /// <summary>Pictures that requests need take all of it. As a full Redis says it: <see cref="RedisConnection.IsFull"/> holds.</summary>
    public const string Full = "OOM command not allowed, the picture memory is full.";

    /// <summary>It takes no picture because the memory for their requests is full. <see cref="RedisConnection.IsFull"/> holds.</summary>
    public const string Closed = "OOM command not allowed, the memory for requests is full.";

    /// <summary>The caller's share of it is used.</summary>
    public const string ShareUsed = "SHAREUSED The caller's share of the picture memory is used.";

    /// <summary>
    /// Commands of Redis that it knows, with the arguments that <see cref="PictureStore"/> gives: <c>PEXPIRE key ms [GT]</c> and
    /// <c>EXPIRE key s [GT]</c>.
    /// </summary>
    public static IReadOnlyList<string> Ordinary { get; } =
        ["AUTH", "PING", "ECHO", "QUIT", "GET", "STRLEN", "EXISTS", "EXPIRE", "PEXPIRE", "PTTL", "DEL"];
}
