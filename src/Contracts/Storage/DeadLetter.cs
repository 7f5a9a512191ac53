using System.Globalization;
using Detection.Contracts.Requests;

namespace Detection.Contracts.Storage;

/// <summary>The record of a request that failed after its last attempt.</summary>
/// <param name="Key">The request.</param>
/// <param name="Reason"><c>poison</c>: the leases of its batchers expired. <c>device</c>: devices failed on it.</param>
/// <param name="Attempts">How often that happened.</param>
/// <param name="At">When its last attempt failed.</param>
/// <param name="PictureUntil">When its picture expires; <see langword="null"/> when it is not kept any more.</param>
public sealed record DeadLetter(RequestKey Key, string Reason, int Attempts, DateTimeOffset At, DateTimeOffset? PictureUntil = null)
{
    /// <summary>Reads <c>item|reason|attempts|unix ms</c>, as the scripts of the queue write it; <see langword="null"/> when it is of another form.</summary>
    /// <param name="model">The model of the list.</param>
    /// <param name="text">The entry.</param>
    internal static DeadLetter? Read(string model, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('|');
        return parts.Length == 4
            && RequestKey.TryParseItem(model, parts[0], out var key)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var attempts)
            && long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            && at <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
                ? new DeadLetter(key, parts[1], attempts, DateTimeOffset.FromUnixTimeMilliseconds(at))
                : null;
    }
}
