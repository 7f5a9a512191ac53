using Detection.Contracts.Requests;

namespace Detection.Contracts.Storage;

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
    /// <param name="caller">Whose share of the memory of pictures it takes; <see langword="null"/> for a caller without a name.</param>
    Task StoreAsync(string imageKey, ReadOnlyMemory<byte> picture, string? caller);

    /// <summary>
    /// Keeps the picture of a request that is accepted, until the request has ended or the picture expires. <see langword="false"/> when
    /// it is not there (any more).
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="ended">Whether the request has ended already: the picture is kept to be drawn.</param>
    Task<bool> KeepAsync(RequestKey request, bool ended = false);

    /// <summary>A request has ended: where there is no room its picture may go before it expires.</summary>
    Task ReleaseAsync(RequestKey request);

    /// <summary>Removes the picture of a request that was refused, unless one that was accepted needs it.</summary>
    Task RemoveAsync(string imageKey);
}
