using System.Globalization;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;

namespace Detection.Client;

/// <summary>What callers are told whose picture is not taken on: why, and which setting of the server counts.</summary>
internal static class RefusalMessages
{
    /// <summary>There is no memory for anybody's picture.</summary>
    /// <param name="redis">Where pictures lie.</param>
    /// <param name="reason">What was answered; <see langword="null"/> when a silo was told so.</param>
    public static string StorageFull(RedisConnections redis, Exception? reason) =>
        !redis.HasPictureMemory ? "The cluster's Redis has no memory left for another picture."
        : RedisConnection.IsClosed(reason) ? "What waits fills its part of the server's memory. The setting Detection:Embedded:RedisMemoryMegabytes makes it larger."
        : "The pictures that wait fill the server's memory for pictures. The setting Detection:Embedded:PictureMemoryMegabytes makes it larger.";

    /// <summary>The caller's share of the memory for pictures is used.</summary>
    public static string MemoryShareUsed(string? caller) =>
        $"The pictures of {caller} that wait are so large that its share of the memory for pictures is used.";

    /// <summary>The picture's turn is expected to come after its deadline.</summary>
    /// <param name="snapshot">The refusal.</param>
    /// <param name="caller">Whose pictures stand before it; <see langword="null"/> for everybody's.</param>
    public static string TooLate(RequestSnapshot snapshot, string? caller)
    {
        var whose = caller is null ? "" : $" of {caller}";
        var wait = snapshot.EstimatedWait is { } estimate ? string.Create(CultureInfo.InvariantCulture, $" about {Math.Ceiling(estimate.TotalSeconds)} s,") : "";
        return $"The pictures{whose} that wait already are expected to take{wait} longer than this request's deadline allows.";
    }
}
