using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>The family of a graph, concluded from the shapes and names of its outputs.</summary>
/// <param name="Family">The family; <see langword="null"/> when it cannot be concluded.</param>
/// <param name="Classes">Number of classes, where the shapes show it.</param>
/// <param name="Why">The basis of the conclusion, for people; without a family, what to write in the manifest.</param>
/// <param name="Lines">Manifest lines beyond the family's usual ones.</param>
/// <param name="NeedsNormalisation">Whether <c>input.mean</c> and <c>input.std</c> differ from one such model to the next.</param>
/// <param name="Others">Other readings that the outputs allow: a run on a known picture decides, or the family is asked for.</param>
/// <param name="Question">What to write when a known picture decides between none of the readings; <see langword="null"/> to ask for the family.</param>
/// <param name="IsOnlyFedDifferently">Whether the readings differ only in how the picture is fed, which no run proves: asked at once.</param>
/// <param name="Asks">What to write in the manifest unless it says how the class numbers begin (<c>head.background</c>).</param>
internal sealed record FamilyGuess(
    string? Family,
    int? Classes,
    string Why,
    JsonObject? Lines = null,
    bool NeedsNormalisation = false,
    IReadOnlyList<FamilyGuess>? Others = null,
    string? Question = null,
    bool IsOnlyFedDifferently = false,
    string? Asks = null);
