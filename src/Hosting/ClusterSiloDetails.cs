using System.Globalization;
using System.Net;
using Detection.Contracts.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Detection.Hosting;

/// <summary>
/// Name and address of this silo. An address contains the second at which its silo started. Of two silos with the same endpoint, the later one is
/// valid: all other silos consider a silo dead that seems to have started before its predecessor. Here the second is that of the cluster's clock, so
/// that a silo whose clock is wrong, or was set back before it started, can join.
/// </summary>
internal sealed partial class ClusterSiloDetails : ILocalSiloDetails
{
    private readonly Lazy<SiloAddress> _address;

    public ClusterSiloDetails(
        IOptions<Orleans.Configuration.SiloOptions> silo,
        IOptions<ClusterOptions> cluster,
        IOptions<EndpointOptions> endpoints,
        IConnectionMultiplexer redis,
        RedisKeys keys,
        ClusterClock time,
        ILogger<ClusterSiloDetails> logger)
    {
        Name = silo.Value.SiloName;
        ClusterId = cluster.Value.ClusterId;
        DnsHostName = Dns.GetHostName();
        GatewayAddress = SiloAddress.New(endpoints.Value.AdvertisedIPAddress, endpoints.Value.GatewayPort, 0);
        _address = new(() =>
        {
            var endpoint = new IPEndPoint(endpoints.Value.AdvertisedIPAddress, endpoints.Value.SiloPort);
            return SiloAddress.New(endpoint, Generation(endpoint, redis.GetDatabase(), keys, time, logger));
        });
    }

    public string Name { get; }

    public string ClusterId { get; }

    public string DnsHostName { get; }

    public SiloAddress SiloAddress => _address.Value;

    public SiloAddress GatewayAddress { get; }

    /// <summary>The next generation by the cluster's clock, and always later than those of this endpoint that the cluster knows.</summary>
    private static int Generation(IPEndPoint endpoint, IDatabase redis, RedisKeys keys, ClusterClock time, ILogger logger)
    {
        var local = SiloAddress.AllocateNewGeneration();
        try
        {
            // Orleans reads it in a constructor.
            var asked = time.GetTimestamp();
            var allocated = TimeProvider.System.GetUtcNow();
            time.Set(redis.ReadTimeAsync().GetAwaiter().GetResult(), asked);
            var byCluster = local + (int)(time.GetUtcNow() - allocated).TotalSeconds;
            return redis.HashKeys(keys.Members).Select(row => GenerationAt(endpoint, row)).Append(byCluster - 1).Max() + 1;
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            LogLocal(logger, e.Message);
            return local;
        }
    }

    /// <summary>The generation of a row of the membership table, <c>S127.0.0.1:11111:154812749</c>; 0 where the row has another endpoint.</summary>
    private static int GenerationAt(IPEndPoint endpoint, RedisValue row)
    {
        var prefix = SiloAddress.New(endpoint, 0).ToString()[..^1];
        var name = (string?)row ?? "";
        return name.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
                ? generation
                : 0;
    }

    [LoggerMessage(
        1, LogLevel.Warning, "The time of Redis cannot be read; the silo's address uses the clock of this machine: {Reason}", EventName = "AddressByLocalClock")]
    private static partial void LogLocal(ILogger logger, string reason);
}
