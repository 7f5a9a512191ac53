using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>The family of a graph, concluded from the shapes and names of its outputs.</summary>
/// <param name="Family">The family; <see langword="null"/> when it cannot be concluded.</param>
/// <param name="Classes">Number of classes, where the shapes show it.</param>
/// <param name="Why">The basis of the conclusion, for people; without a family, what to write in the manifest.</param>
/// <param name="Lines">Manifest lines beyond the family's usual ones.</param>
/// <param name="NeedsNormalisation">Whether <c>input.mean</c> and <c>input.std</c> differ between models of this kind.</param>
internal sealed record FamilyGuess(string? Family, int? Classes, string Why, JsonObject? Lines = null, bool NeedsNormalisation = false);
