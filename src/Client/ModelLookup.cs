using Detection.Contracts.Models;
using Detection.Objects;
using Microsoft.Extensions.Options;

namespace Detection.Client;

/// <summary>Finds the model of a request, and checks that the silos make image keys as this process does.</summary>
internal sealed class ModelLookup(ModelCatalog catalog, ImageKeyComparison imageKeys, IOptions<DetectionClientOptions> options)
{
    private static readonly TimeSpan SettingRetry = TimeSpan.FromSeconds(5);

    /// <param name="operation">The request.</param>
    /// <param name="wait">Whether to wait, until the deadline, for a model that accepts new pictures.</param>
    /// <exception cref="DetectionException">No such model is served, or nothing is known of the cluster's models.</exception>
    public async Task<ModelInfo> FindAsync(ClientOperation operation, bool wait)
    {
        var name = operation.Options.Model ?? options.Value.DefaultModel;
        while (true)
        {
            var found = await catalog.FindAsync(name, toRun: wait);
            await RequireSameImageKeysAsync(operation);
            if (found.Entry is { } entry && (entry.Accepts || !wait))
            {
                operation.Model = entry.Model.Id;
                return entry.Model;
            }

            // While no silo with a device runs, it is not known that the model does not exist.
            if (found.Served || found.Entry is not null)
            {
                throw operation.Error(FailureReason.ModelNotFound, ModelMessages.NotServed(name, found));
            }

            if (!wait)
            {
                throw operation.Error(FailureReason.Unavailable, "No worker with a device is available.", TimeSpan.FromSeconds(1));
            }

            operation.ThrowIfCancelled();
            await operation.BackOffAsync();
        }
    }

    /// <summary>Runs a request again after a silo reported that its model is gone, with the version that is served now.</summary>
    public async Task<T> WithNextModelAsync<T>(ClientOperation operation, Func<Task<T>> request)
    {
        catalog.Invalidate();
        await operation.BackOffAsync();
        return await request();
    }

    /// <exception cref="DetectionException">The silos make image keys with another secret than this process.</exception>
    public async Task RequireSameImageKeysAsync(ClientOperation operation)
    {
        await catalog.LookAsync();
        if (imageKeys.Differs)
        {
            throw operation.Error(FailureReason.Unavailable, ImageKeyComparison.Fault, SettingRetry);
        }
    }
}
