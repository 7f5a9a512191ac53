using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace Detection.Grains.Membership;

/// <summary>The witnesses of the other silos.</summary>
internal sealed partial class RedisWitnesses(
    IServiceProvider services, ISiloStatusOracle membership, ILocalSiloDetails silo, ILogger<RedisWitnesses> logger) : GrainServiceClient<IRedisWitness>(services)
{
    /// <summary>Maximum number of silos that are asked at once. They are chosen at random each time.</summary>
    private const int MaxAsked = 8;

    /// <summary>Finds a silo that has reached Redis for at least <paramref name="duration"/>.</summary>
    /// <returns>Its address; <see langword="null"/> when no silo that answers has.</returns>
    public async Task<SiloAddress?> FindAsync(TimeSpan duration)
    {
        // The membership as this silo knows it, which may be outdated: a silo that is gone does not answer.
        var others = membership.GetApproximateSiloStatuses(onlyActive: true).Keys.Where(other => !other.Equals(silo.SiloAddress)).ToArray();
        Random.Shared.Shuffle(others);
        var answers = await Task.WhenAll(others.Take(MaxAsked).Select(async other => (Silo: other, Reached: await AskAsync(other))));
        return answers.FirstOrDefault(answer => answer.Reached >= duration).Silo;
    }

    private async Task<TimeSpan> AskAsync(SiloAddress other)
    {
        try
        {
            return await GetGrainService(other).ReachedFor();
        }
#pragma warning disable CA1031 // A silo that cannot be asked, for whatever reason, is no witness.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNoAnswer(other, e.Message);
            return TimeSpan.Zero;
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Silo {Silo} did not answer whether it reaches Redis; other silos are asked: {Reason}", EventName = "WitnessSilent")]
    private partial void LogNoAnswer(SiloAddress silo, string reason);
}
