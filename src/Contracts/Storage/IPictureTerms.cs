using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>How long pictures are kept, and for which requests.</summary>
internal interface IPictureTerms
{
    /// <summary>Stores a picture over the connection for pictures; see <see cref="PictureStore.StoreAsync"/>.</summary>
    Task<bool> StoreAsync(IDatabase pictures, string imageKey, ReadOnlyMemory<byte> picture, string? caller);

    /// <summary>See <see cref="PictureStore.KeepAsync"/>.</summary>
    Task<bool> KeepAsync(string imageKey, TimeSpan expiry, string? request);

    /// <summary>See <see cref="PictureStore.ReleaseAsync"/>.</summary>
    Task ReleaseAsync(string imageKey, string request);

    /// <summary>See <see cref="PictureStore.RemoveUnacceptedAsync"/>.</summary>
    Task RemoveUnacceptedAsync(string imageKey);
}
