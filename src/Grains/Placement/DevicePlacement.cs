using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;

namespace Detection.Grains.Placement;

/// <summary>Places a batcher on the silo that owns its device, and nowhere else.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class DevicePlacementAttribute() : PlacementAttribute(new DevicePlacement());

/// <summary>The strategy behind <see cref="DevicePlacementAttribute"/>.</summary>
[Serializable, GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("detection.DevicePlacement")]
internal sealed class DevicePlacement : PlacementStrategy;

/// <summary>No silo of the cluster owns the device of a batcher.</summary>
[GenerateSerializer, Alias("detection.DeviceNotFoundException")]
internal sealed class DeviceNotFoundException(string device) : Exception($"No silo owns the device '{device}'.");

/// <summary>Finds the silo that owns a device, by the metadata that each silo publishes.</summary>
internal sealed class DevicePlacementDirector(ISiloMetadataCache metadata) : IPlacementDirector
{
    /// <summary>Metadata key under which a silo lists the ids of its devices.</summary>
    public const string MetadataKey = "detection.devices";

    /// <summary>Separator of the ids in the metadata.</summary>
    public const char Separator = ';';

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var device = BatcherKey.Parse(target.GrainIdentity.Key.ToString()!).Device;
        foreach (var silo in context.GetCompatibleSilos(target))
        {
            if (metadata.GetSiloMetadata(silo).Metadata.TryGetValue(MetadataKey, out var devices)
                && devices.Split(Separator).Contains(device, StringComparer.Ordinal))
            {
                return Task.FromResult(silo);
            }
        }

        throw new DeviceNotFoundException(device);
    }
}
