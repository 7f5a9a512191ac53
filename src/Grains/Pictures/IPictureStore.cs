namespace Detection.Grains.Pictures;

/// <summary>Where encoded pictures wait until a batcher takes them.</summary>
public interface IPictureStore
{
    /// <summary>
    /// Stores a picture under its key for a request that is not accepted yet: it expires by itself, soon. One that is there already
    /// stays as it is.
    /// </summary>
    /// <param name="imageKey">SHA-256 of <paramref name="picture"/>, 64 lower-case hex digits.</param>
    /// <param name="picture">
    /// The encoded picture. It must not change before the task has ended well; when the task fails, it may still be read later
    /// and must not be used again.
    /// </param>
    Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture);

    /// <summary>Keeps a picture for a request that is accepted. <see langword="false"/> when it is not there (any more).</summary>
    Task<bool> KeepAsync(string imageKey);

    /// <summary>Removes the picture of a request that was refused, unless one that was accepted needs it.</summary>
    Task RemoveAsync(string imageKey);
}
