using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Grains.Devices;
using Detection.Inference.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Grains.Cluster;

/// <summary>Writes this silo's report into Redis, and takes it out when the silo stops.</summary>
internal sealed partial class SiloReporter(
    LocalDevices local,
    InferenceHost host,
    ModelRepository repository,
    ILocalSiloDetails silo,
    IConnectionMultiplexer redis,
    TimeProvider time,
    ILogger<SiloReporter> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await redis.GetDatabase().HashDeleteAsync(RedisKeys.Silos, local.Silo);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // It goes out of date by itself.
            LogNotWritten(e.Message);
        }
    }

    /// <summary>The report as of now.</summary>
    public SiloReport Report() => new(
        local.Silo,
        silo.SiloAddress.ToParsableString(),
        _startedAt,
        time.GetUtcNow(),
        [.. local.Devices.Select(device => new DeviceReport(device.Id, device.Kind, device.Device.Description))],
        host.Models,
        host.Report(),
        [.. local.Problems, .. repository.Current.Problems.Values, .. host.Problems]);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                var database = redis.GetDatabase();
                await database.HashSetAsync(RedisKeys.Silos, local.Silo, Report().Serialize());
                await database.KeyExpireAsync(RedisKeys.Silos, 6 * SiloReport.Lifetime);
                await ForgetTheGoneAsync(database);
            }
            catch (Exception e) when (RedisConnection.IsOutage(e))
            {
                LogNotWritten(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Silos that crashed leave a report behind.</summary>
    private async Task ForgetTheGoneAsync(IDatabase database)
    {
        foreach (var field in await database.HashGetAllAsync(RedisKeys.Silos))
        {
            if (SiloReport.Deserialize((byte[])field.Value!) is { } report && time.GetUtcNow() - report.ReportedAt > 6 * SiloReport.Lifetime)
            {
                await database.HashDeleteAsync(RedisKeys.Silos, field.Name);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "The silo's report cannot be written: {Reason}")]
    private partial void LogNotWritten(string reason);
}
