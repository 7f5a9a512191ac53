using Detection.Contracts.Scheduling;
using Detection.Contracts.Storage;
using Detection.Grains.Placement;
using Detection.Inference.Repository;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Devices;

/// <summary>
/// Keeps this silo's devices serving: loads the models of the repository, and checks at intervals that each has its batcher. It is registered after
/// Orleans and so stops before it, while grains can still be called: at that point the batchers drain.
/// </summary>
internal sealed partial class InferenceService(
    LocalDevices local, InferenceHost host, ModelRepository repository, IGrainFactory grains, ILogger<InferenceService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await host.StopAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (local.Devices.Count == 0)
        {
            LogNoDevices(local.Silo);
            return;
        }

        using var changed = new WakeSignal();
        repository.Changed += OnModels;
        host.Changed += changed.Set;
        var watching = repository.WatchAsync(stoppingToken);
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await host.ServeAsync([.. repository.Current.Models.Values.OrderByDescending(model => model.Name == repository.DefaultName)]);
                    foreach (var key in host.Keys)
                    {
                        await grains.GetGrain<IBatcherGrain>(key.ToString()).EnsureRunning();
                    }
                }
                catch (Exception e) when (RedisConnection.IsOutage(e)
                    || e is OrleansException or TimeoutException or Placement.DeviceNotFoundException
                    || (e is OperationCanceledException && !stoppingToken.IsCancellationRequested))
                {
                    // The cluster is forming or losing silos, and cancels calls that it could not place in time; the next round tries again.
                    LogNotEnsured(Interval, e.Message);
                }
#pragma warning disable CA1031 // An unforeseen error of one round must not end the host; the next round tries again.
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    LogRoundFailed(e, Interval);
                }

                await changed.WaitAsync(Interval, stoppingToken);
            }
        }
        finally
        {
            repository.Changed -= OnModels;
            host.Changed -= changed.Set;
        }

        await watching;

        void OnModels(ModelSet models) => changed.Set();
    }

    [LoggerMessage(1, LogLevel.Information, "Silo {Silo} has no devices; it runs request grains and fetches URLs.")]
    private partial void LogNoDevices(string silo);

    [LoggerMessage(2, LogLevel.Error, "Loading models and starting batchers failed; retrying in {Delay}.")]
    private partial void LogRoundFailed(Exception exception, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Warning, "Checking that each device has its batchers failed; retrying in {Delay}: {Reason}")]
    private partial void LogNotEnsured(TimeSpan delay, string reason);
}
