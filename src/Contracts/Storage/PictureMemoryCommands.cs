namespace Detection.Contracts.Storage;

/// <summary>
/// The commands of a picture memory: the store of pictures in an embedded cluster, separate from its Redis-compatible server. It uses the Redis protocol.
/// </summary>
public static class PictureMemoryCommands
{
    /// <summary>
    /// <c>PICTURE.STORE key ms caller bytes</c>: stores a picture unless it exists, for a request that is not accepted yet; it expires after so many
    /// ms. It counts to the caller's share; an empty caller has no share. Returns OK, nothing when the picture exists, or an error that starts with
    /// <see cref="Full"/>, <see cref="Closed"/> or <see cref="ShareUsed"/>.
    /// </summary>
    public const string Store = "PICTURE.STORE";

    /// <summary>
    /// <c>PICTURE.KEEP key ms request</c>: a request that needs the picture is accepted; the picture expires after so many ms. An empty request means
    /// that the request has ended already. Returns 1, or 0 when the picture does not exist.
    /// </summary>
    public const string Keep = "PICTURE.KEEP";

    /// <summary><c>PICTURE.RELEASE key request</c>: the request has ended. Returns 1 when the picture was kept for it, otherwise 0.</summary>
    public const string Release = "PICTURE.RELEASE";

    /// <summary>
    /// <c>PICTURE.REMOVE key</c>: removes the picture unless a request that needs it was accepted. Returns 1 when it is removed, otherwise 0.
    /// </summary>
    public const string RemoveUnaccepted = "PICTURE.REMOVE";

    /// <summary>
    /// All of it is used by pictures that requests need. The text starts like that of a full Redis: <see cref="RedisConnection.IsFull"/> holds.
    /// </summary>
    public const string Full = "OOM command not allowed, the picture memory is full.";

    /// <summary>It accepts no picture because the memory for requests is full. <see cref="RedisConnection.IsFull"/> holds.</summary>
    public const string Closed = "OOM command not allowed, the memory for requests is full.";

    /// <summary>The caller's share of it is used.</summary>
    public const string ShareUsed = "SHAREUSED The caller's share of the picture memory is used.";

    /// <summary>
    /// Redis commands that it supports, with the arguments that <see cref="PictureStore"/> uses: <c>PEXPIRE key ms [GT]</c> and <c>EXPIRE key s [GT]</c>.
    /// </summary>
    public static IReadOnlyList<string> Ordinary { get; } =
        ["AUTH", "PING", "ECHO", "QUIT", "GET", "STRLEN", "EXISTS", "EXPIRE", "PEXPIRE", "PTTL", "DEL"];
}
