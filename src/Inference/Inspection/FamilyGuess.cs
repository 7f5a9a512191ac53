using System.Text.Json.Nodes;

namespace Detection.Inference.Inspection;

/// <summary>The family of a graph, as the shapes and names of its outputs show it.</summary>
/// <param name="Family">The family; <see langword="null"/> when they do not show it.</param>
/// <param name="Classes">Number of classes, where the shapes show it.</param>
/// <param name="Why">What it was concluded from, for people; without a family, what to write.</param>
/// <param name="Lines">Manifest lines beyond the family's usual ones.</param>
/// <param name="NeedsNormalisation">Whether <c>input.mean</c> and <c>input.std</c> differ from one such model to the next.</param>
internal sealed record FamilyGuess(string? Family, int? Classes, string Why, JsonObject? Lines = null, bool NeedsNormalisation = false);
