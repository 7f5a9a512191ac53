using Detection.Contracts.Fetching;
using Detection.Contracts.Requests;
using Detection.Grains.Requests;
using Detection.Grains.Tests.Batching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;

namespace Detection.Grains.Tests.Wire;

/// <summary>Names under which processes of several versions know the same grains.</summary>
public sealed class GrainTypeTests : IDisposable
{
    private readonly IHost _silo = TestSilo.Build("localhost:1", []);

    public void Dispose() => _silo.Dispose();

    [Fact]
    public void Grain_types_are_those_of_the_first_version()
    {
        var types = _silo.Services.GetRequiredService<GrainTypeResolver>();
        var grains = typeof(RequestGrain).Assembly.GetTypes().Where(static type => type.IsSubclassOf(typeof(Grain)));

        Assert.Equal(["batcher", "picturefetch", "request", "silo"], grains.Select(grain => types.GetGrainType(grain).ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Grain_interfaces_are_those_of_the_first_version()
    {
        var interfaces = _silo.Services.GetRequiredService<GrainInterfaceTypeResolver>();
        var known = typeof(IRequestGrain).Assembly.GetTypes().Concat(typeof(RequestGrain).Assembly.GetTypes())
            .Where(static type => type.IsInterface && type.IsAssignableTo(typeof(IGrain)) && !type.IsAssignableTo(typeof(ISystemTarget)));

        Assert.Equal(
            ["detection.IBatcherGrain", "detection.IPictureFetchGrain", "detection.IRequestGrain", "detection.ISiloGrain"],
            known.Select(type => interfaces.GetGrainInterfaceType(type).ToString()).Order(StringComparer.Ordinal));
    }
}
