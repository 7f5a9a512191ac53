using Microsoft.Extensions.Logging;
using Orleans.Services;

namespace Detection.Grains.Membership;

/// <summary>Reports whether its silo reaches Redis. Silos ask each other directly, without using Redis.</summary>
[Alias("detection.IRedisWitness")]
internal interface IRedisWitness : IGrainService
{
    /// <summary>For how long this silo has reached Redis; zero while it does not reach it.</summary>
    [ResponseTimeout("00:00:02"), Alias("ReachedFor")]
    Task<TimeSpan> ReachedFor();
}

/// <inheritdoc cref="IRedisWitness"/>
internal sealed class RedisWitness(GrainId id, Silo silo, ILoggerFactory loggers, RedisReach reach) : GrainService(id, silo, loggers), IRedisWitness
{
    public Task<TimeSpan> ReachedFor() => Task.FromResult(reach.ReachedFor);

    /// <summary>Each silo answers for itself: no ranges are divided among them.</summary>
    public override Task OnRangeChange(IRingRange oldRange, IRingRange newRange, bool increased) => Task.CompletedTask;
}
