using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Detection.Grains.Placement;

/// <summary>Places a grain on the silo whose name is its key.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SiloPlacementAttribute() : PlacementAttribute(new SiloPlacement());

/// <summary>The strategy behind <see cref="SiloPlacementAttribute"/>.</summary>
[Serializable, GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("detection.SiloPlacement")]
internal sealed class SiloPlacement : PlacementStrategy;

/// <summary>Finds a silo by its name.</summary>
internal sealed class SiloPlacementDirector(ISiloStatusOracle membership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var name = target.GrainIdentity.Key.ToString();
        foreach (var silo in context.GetCompatibleSilos(target))
        {
            if (membership.TryGetSiloName(silo, out var known) && known == name)
            {
                return Task.FromResult(silo);
            }
        }

        throw new SiloUnavailableException($"No silo '{name}' takes this call.");
    }
}
