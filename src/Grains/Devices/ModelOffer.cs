using Detection.Contracts.Models;

namespace Detection.Grains.Devices;

/// <summary>The models that a silo serves.</summary>
/// <param name="Models">All of them, current versions first.</param>
/// <param name="Retired">Full names of those whose files were removed or replaced: their accepted requests are finished.</param>
internal sealed record ModelOffer(IReadOnlyList<ModelInfo> Models, IReadOnlyList<string> Retired);
