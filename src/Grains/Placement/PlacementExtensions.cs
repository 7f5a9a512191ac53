using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Detection.Grains.Placement;

/// <summary>Registers the placement of grains that belong to one silo.</summary>
public static class PlacementExtensions
{
    /// <summary>Places each batcher on the silo that owns its device, and the calls of administrators on the silo that they name.</summary>
    /// <param name="orleans">The silo.</param>
    /// <param name="devices">Ids of its devices.</param>
    public static ISiloBuilder AddDevicePlacement(this ISiloBuilder orleans, IEnumerable<string> devices) => orleans
        .UseSiloMetadata(new Dictionary<string, string>
        {
            [DevicePlacementDirector.MetadataKey] = string.Join(DevicePlacementDirector.Separator, devices),
        })
        .AddPlacementDirector<DevicePlacement, DevicePlacementDirector>()
        .AddPlacementDirector<SiloPlacement, SiloPlacementDirector>();
}
