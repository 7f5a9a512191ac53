using System.Buffers;

namespace Detection.Client;

/// <summary>Options of a request.</summary>
public sealed record DetectionOptions
{
    /// <summary>Longest deadline that a request may have.</summary>
    public static readonly TimeSpan MaxDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Model, as <c>name</c> or <c>name@version</c>; <see langword="null"/> for the default one.</summary>
    public string? Model { get; init; }

    /// <summary>
    /// Lowest score of an object, 0 to 1; <see langword="null"/> for the model's own. Objects below the model's score floor are never returned.
    /// </summary>
    public float? Threshold { get; init; }

    /// <summary>Overlap at which the weaker of two boxes is dropped, above 0 and at most 1; <see langword="null"/> for the model's value.</summary>
    public float? Iou { get; init; }

    /// <summary>Maximum number of objects to return, highest scores first; <see langword="null"/> for all.</summary>
    public int? MaxObjects { get; init; }

    /// <summary>Labels to return, ignoring case; <see langword="null"/> or empty for all.</summary>
    public IReadOnlyCollection<string>? Labels { get; init; }

    /// <summary>
    /// Time within which the answer is needed, above 0 and at most <see cref="MaxDeadline"/>; <see langword="null"/> for the client's default.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Name of the caller: a user, a tenant, an application. Callers are served in turn, and each has a share of the queue and, in a one-process
    /// cluster, of the memory for pictures, so that the load of one caller does not delay the others. Up to <see cref="CallerLength"/> letters,
    /// digits and <c>. _ : @ -</c>; <see langword="null"/> for a caller without a name. A picture that is already queued keeps the turn of the caller
    /// that asked for it first.
    /// </summary>
    public string? Caller { get; init; }

    /// <summary>Maximum length of <see cref="Caller"/>, in characters.</summary>
    public const int CallerLength = 100;

    /// <summary>Whether a text is a valid <see cref="Caller"/>.</summary>
    public static bool IsCaller(ReadOnlySpan<char> name) => name.Length is > 0 and <= CallerLength && !name.ContainsAnyExcept(CallerCharacters);

    private static readonly SearchValues<char> CallerCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-");
}
