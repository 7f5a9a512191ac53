using System.Buffers;

namespace Detection.Client;

/// <summary>What a request may choose.</summary>
public sealed record DetectionOptions
{
    /// <summary>Longest deadline that a request may have.</summary>
    public static readonly TimeSpan MaxDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Model, as <c>name</c> or <c>name@version</c>; <see langword="null"/> for the default one.</summary>
    public string? Model { get; init; }

    /// <summary>Lowest score of an object, 0 to 1; <see langword="null"/> for the model's own. Scores below the model's floor are never kept.</summary>
    public float? Threshold { get; init; }

    /// <summary>Overlap at which the weaker of two boxes is dropped, above 0 and at most 1; <see langword="null"/> for the model's own.</summary>
    public float? Iou { get; init; }

    /// <summary>Most objects to return, the best first; <see langword="null"/> for all.</summary>
    public int? MaxObjects { get; init; }

    /// <summary>Labels to return, ignoring case; <see langword="null"/> or empty for all.</summary>
    public IReadOnlyCollection<string>? Labels { get; init; }

    /// <summary>Time after which the answer is of no use, above 0 and at most <see cref="MaxDeadline"/>; <see langword="null"/> for the client's default.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Name under which a share of the queue is counted, and one of the memory of pictures where the cluster is one process, so that
    /// callers are served in turn and one's flood is not the others' wait: a user's, a tenant's, an application's. Up to <see cref="CallerLength"/> letters, digits and <c>. _ : @ -</c>;
    /// <see langword="null"/> for a caller without a name. A picture that is queued already stays in the turn of the caller that asked first.
    /// </summary>
    public string? Caller { get; init; }

    /// <summary>Most characters of <see cref="Caller"/>.</summary>
    public const int CallerLength = 100;

    /// <summary>Whether a text can be a <see cref="Caller"/>.</summary>
    public static bool IsCaller(ReadOnlySpan<char> name) => name.Length is > 0 and <= CallerLength && !name.ContainsAnyExcept(CallerCharacters);

    private static readonly SearchValues<char> CallerCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-");
}
