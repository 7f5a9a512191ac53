using System.Globalization;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;

namespace Detection.Client;

/// <summary>Why a picture is refused, and which setting of the server is the limit.</summary>
internal static class RefusalMessages
{
    /// <summary>There is no memory for another picture.</summary>
    /// <param name="redis">Where pictures are stored.</param>
    /// <param name="reason">The error of Redis; <see langword="null"/> when a silo got it.</param>
    public static string StorageFull(RedisConnections redis, Exception? reason) =>
        !redis.HasPictureMemory ? "The cluster's Redis is full, so the picture cannot be stored. Retry later."
        : RedisConnection.IsClosed(reason) ? "Queued requests fill their part of the server's memory. Retry later, or raise Detection:Embedded:RedisMemoryMegabytes."
        : "Queued pictures fill the server's memory for pictures. Retry later, or raise Detection:Embedded:PictureMemoryMegabytes.";

    /// <summary>The caller's share of the memory for pictures is used.</summary>
    public static string MemoryShareUsed(string? caller) =>
        $"The queued pictures of caller '{caller}' already fill its share of the memory for pictures.";

    /// <summary>The picture's turn is expected to come after its deadline.</summary>
    /// <param name="snapshot">The refusal.</param>
    /// <param name="caller">The caller whose pictures are queued before it; <see langword="null"/> for all callers'.</param>
    public static string TooLate(RequestSnapshot snapshot, string? caller)
    {
        var whose = caller is null ? "" : $" of caller '{caller}'";
        var wait = snapshot.EstimatedWait is { } estimate ? string.Create(CultureInfo.InvariantCulture, $" about {Math.Ceiling(estimate.TotalSeconds)} s,") : "";
        return $"The queued pictures{whose} are expected to take{wait} longer than the deadline of this request allows.";
    }
}
