using Detection.Contracts.Storage;
using Detection.Grains.Cluster;
using StackExchange.Redis;

namespace Detection.Grains.Membership;

/// <summary>How long this silo has reached Redis, or has not reached it.</summary>
internal sealed class RedisReach(IConnectionMultiplexer redis, RedisKeys keys, ClusterView cluster, TimeProvider time)
{
    /// <summary>Longest wait for an answer, whatever the connection string allows; well below <see cref="ReachPeriod.MaxGap"/>.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private volatile ReachPeriod? _period;

    /// <summary>For how long every check has reached Redis; zero while it is unreachable.</summary>
    public TimeSpan ReachedFor => LengthOf(reached: true);

    /// <summary>For how long no check has reached Redis; zero while it is reachable.</summary>
    public TimeSpan AwayFor => LengthOf(reached: false);

    /// <summary>Checks once whether Redis answers.</summary>
    /// <returns>Why it is unreachable; <see langword="null"/> when it is reachable.</returns>
    public async Task<string?> LookAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        try
        {
            await AskAsync().WaitAsync(Timeout, time, cancellationToken);
            _period = ReachPeriod.After(_period, reached: true, asked, time);
            return null;
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is TimeoutException)
        {
            _period = ReachPeriod.After(_period, reached: false, asked, time);
            return e.Message;
        }
    }

    /// <summary>
    /// Reads the membership and the queue of each model, which are on different servers in a Redis Cluster, and only from masters: a replica accepts
    /// no requests. The command succeeds with any content of the keys, and when Redis has no memory left.
    /// </summary>
    private Task<bool[]> AskAsync()
    {
        var database = redis.GetDatabase();
        var models = cluster.Silos.SelectMany(static silo => silo.Models).Select(static model => model.Id).Distinct(StringComparer.Ordinal);
        return Task.WhenAll(models.Select(keys.Queue).Prepend(keys.Members).Select(key => database.KeyExistsAsync(key, CommandFlags.DemandMaster)));
    }

    private TimeSpan LengthOf(bool reached) => _period is { } period && period.Reached == reached ? period.Length : TimeSpan.Zero;
}
