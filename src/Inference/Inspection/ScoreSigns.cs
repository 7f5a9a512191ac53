using System.Globalization;
using Detection.Inference.Pictures;
using Detection.Objects;

namespace Detection.Inference.Inspection;

/// <summary>
/// Recognises a model that cannot find anything: the scores of all cells are the same, whatever the picture. An export or a quantisation that
/// lost the scores gives such a file; it loads and runs without an error.
/// </summary>
public static class ScoreSigns
{
    /// <summary>The score floor and the overlap with which a picture is read, so that the box of each cell is kept.</summary>
    public const float Floor = 0;

    /// <inheritdoc cref="Floor"/>
    public const float Iou = 1;

    private const string NoBox = "there is no box, whatever its score";

    /// <summary>Fewer boxes of one score may be chance, unless the highest score is 0.</summary>
    private const int MinBoxes = 10;

    /// <summary>Families whose graphs choose the boxes themselves: none, or rows of 0 in their place, is their answer to a picture of nothing.</summary>
    private static readonly string[] Choosing = ["ssd", "yolov10", "yolo26", "picodet", "pp-yoloe"];

    /// <summary>Whether scores that are all the same prove anything for a family.</summary>
    public static bool CanTell(string family) => !Choosing.Contains(family);

    /// <summary>Whether boxes that were found as usual give reason to look at all.</summary>
    public static bool AreSuspicious(IReadOnlyCollection<DetectedObject> boxes) => boxes.Count == 0 || Sign(boxes) is not null;

    /// <summary>Looks at all scores of the known picture and of noise. A model that cannot find anything shows the same sign in both.</summary>
    /// <param name="read">Reads a picture with <see cref="Floor"/> and <see cref="Iou"/>; <see langword="null"/> when that fails.</param>
    /// <returns>What is wrong, the middle of a sentence; <see langword="null"/> for scores that differ.</returns>
    public static async Task<string?> FindAsync(Func<ReadOnlyMemory<byte>, Task<IReadOnlyCollection<DetectedObject>?>> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        if (await read(KnownPicture.Bytes) is not { } boxes || Sign(boxes) is not { } known || await read(NoisePicture.Bytes) is not { } others || Sign(others) is not { } noise)
        {
            return null;
        }

        // Of equal scores the first cells are kept; those of a letterbox's padding leave no box.
        return known == noise || noise == NoBox ? known : known == NoBox ? noise : null;
    }

    /// <summary>The sentence about a model with a sign.</summary>
    /// <param name="model">How the sentence names the model.</param>
    /// <param name="sign">The sign.</param>
    public static string Describe(string model, string sign) =>
        $"{model} finds nothing: in a known picture and in a picture of noise {sign}. Use another export; a quantisation to 8 bits may have lost the scores.";

    private static string? Sign(IReadOnlyCollection<DetectedObject> boxes) =>
        boxes.Count == 0 ? NoBox
        : boxes.First().Score is var first && (boxes.Count >= MinBoxes || first == 0) && boxes.All(box => box.Score == first) ? string.Create(CultureInfo.InvariantCulture, $"every score is {first:0.######}")
        : null;
}
