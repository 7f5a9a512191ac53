using System.Buffers;
using Detection.Contracts.Cluster;
using Detection.Contracts.Storage;
using Detection.Objects;
using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>Sends an administrator's calls to silos, each in one short grain call.</summary>
internal sealed class ClusterAdministration(
    OperationRunner operations, ClientConnections connections, ModelCatalog catalog, TimeProvider time, ILogger<DetectionClient> logger) : IClusterAdministration
{
    private const int MostDeadLetters = 100;

    /// <summary>A silo answers at once or not at all.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    public Task<IReadOnlyDictionary<string, RetryOutcome>> RetryModelAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return operations.RunAsync<IReadOnlyDictionary<string, RetryOutcome>>(
            null,
            null,
            async operation =>
            {
                var silos = (await catalog.ReadSilosAsync()).Where(static silo => silo.Devices.Count > 0).Select(static silo => silo.Silo);
                var outcomes = await Task.WhenAll(silos.Select(async silo =>
                    (Silo: silo, Outcome: await TryAsync(operation, silo, grain => grain.RetryModel(name)) ?? RetryOutcome.Unreachable)));
                return outcomes.ToDictionary(static one => one.Silo, static one => one.Outcome, StringComparer.Ordinal);
            },
            cancellationToken);
    }

    public Task<bool> DrainAsync(string silo, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(silo);
        return operations.RunAsync(
            null,
            null,
            async operation =>
            {
                if ((await catalog.ReadSilosAsync()).All(known => known.Silo != silo))
                {
                    return false;
                }

                var answered = await TryAsync(operation, silo, static async grain =>
                {
                    await grain.Drain();
                    return true;
                });
                return answered ?? throw operation.Error(FailureReason.Unavailable, $"The silo '{silo}' did not respond. Retry.", TimeSpan.FromSeconds(1));
            },
            cancellationToken);
    }

    public Task PullModelAsync(string name, string source, string? sha256, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(source);
        return operations.RunAsync(
            null,
            null,
            async _ =>
            {
                await connections.Wanted.WriteAsync(new WantedModel(name, source, sha256, Guid.NewGuid().ToString("N"), time.GetUtcNow()));
                return true;
            },
            cancellationToken);
    }

    public Task<(WantedModel? Wanted, IReadOnlyDictionary<string, PullReport> Silos)> FindPullAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return operations.RunAsync<(WantedModel?, IReadOnlyDictionary<string, PullReport>)>(
            null,
            null,
            async _ =>
            {
                var wanted = (await connections.Wanted.ReadAsync()).FirstOrDefault(wanted => wanted.Name == name);
                return (wanted, (await catalog.ReadSilosAsync())
                    .Select(silo => (silo.Silo, Pull: silo.Pulls?.FirstOrDefault(pull => pull.Name == name)))
                    .Where(static silo => silo.Pull is not null)
                    .ToDictionary(static silo => silo.Silo, static silo => silo.Pull!, StringComparer.Ordinal));
            },
            cancellationToken);
    }

    public Task<bool> WithdrawPullAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return operations.RunAsync(null, null, _ => connections.Wanted.RemoveAsync(name), cancellationToken);
    }

    public Task<IReadOnlyList<DeadLetter>> GetDeadLettersAsync(CancellationToken cancellationToken) =>
        operations.RunAsync(null, null, _ => connections.Dead.ReadAsync(MostDeadLetters), cancellationToken);

    public Task<IMemoryOwner<byte>?> FindDeadLetterPictureAsync(string imageKey, CancellationToken cancellationToken) =>
        operations.RunAsync<IMemoryOwner<byte>?>(
            null,
            imageKey,
            async operation => (await connections.Dead.ReadAsync(MostDeadLetters)).Any(letter => letter.Key.ImageKey == imageKey)
                ? await connections.Pictures.ReadAsync(imageKey, operation.Token)
                : null,
            cancellationToken);

    /// <summary>Calls a silo; nothing when it does not answer.</summary>
    private async Task<T?> TryAsync<T>(ClientOperation operation, string silo, Func<ISiloGrain, Task<T>> call)
        where T : struct
    {
        try
        {
            var grains = await connections.Cluster.GetGrainsAsync(operation.Token);
            return await call(grains.GetGrain<ISiloGrain>(silo)).WaitAsync(CallTimeout, time, operation.Token);
        }
        catch (Exception e) when (operation.CanRetry(e))
        {
            logger.LogSiloUnreachable(silo, e.Message);
            return null;
        }
    }
}
