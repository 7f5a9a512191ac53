namespace Detection.Grains.Pictures;

/// <summary>Where encoded pictures wait until a batcher takes them.</summary>
public interface IPictureStore
{
    /// <summary>Stores a picture under its key; it expires by itself. Storing it again starts its time anew.</summary>
    /// <param name="imageKey">The key that <see cref="Detection.Contracts.Pictures.ImageKeys"/> gives <paramref name="picture"/>.</param>
    /// <param name="picture">
    /// The encoded picture. It must not change before the task has ended well; when the task fails, it may still be read later
    /// and must not be used again.
    /// </param>
    Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture);
}
