using Detection.Contracts.Models;
using Microsoft.Extensions.Options;

namespace Detection.Client;

/// <summary>Finds the model of a request, and checks that the silos name pictures as this process does.</summary>
internal sealed class ModelLookup(ModelCatalog catalog, ImageKeyComparison imageKeys, IOptions<DetectionClientOptions> options)
{
    private static readonly TimeSpan SettingRetry = TimeSpan.FromSeconds(5);

    /// <param name="attempt">The request.</param>
    /// <param name="wait">Whether it waits, until its deadline, for a model that takes new pictures.</param>
    /// <exception cref="DetectionException">No such model is served, or nothing is known of the cluster's models.</exception>
    public async Task<ModelInfo> FindAsync(Attempt attempt, bool wait)
    {
        var name = attempt.Options.Model ?? options.Value.DefaultModel;
        while (true)
        {
            var found = await catalog.FindAsync(name, toRun: wait);
            await RequireSameImageKeysAsync(attempt);
            if (found.Entry is { } entry && (entry.Accepts || !wait))
            {
                attempt.Model = entry.Model.Id;
                return entry.Model;
            }

            // While no silo with a device runs, it is not known that the model does not exist.
            if (found.Served || found.Entry is not null)
            {
                throw attempt.Error(DetectionError.ModelNotFound, ModelMessages.NotServed(name, found));
            }

            if (!wait)
            {
                throw attempt.Error(DetectionError.Unavailable, "No worker with a device is available.", TimeSpan.FromSeconds(1));
            }

            attempt.ThrowIfOver();
            await attempt.BackOffAsync();
        }
    }

    /// <summary>A silo said that the model is gone: the request begins anew, with the version that is served by now.</summary>
    public async Task<T> WithNextModelAsync<T>(Attempt attempt, Func<Task<T>> request)
    {
        catalog.Invalidate();
        await attempt.BackOffAsync();
        return await request();
    }

    /// <exception cref="DetectionException">The silos make image keys with another secret than this process.</exception>
    public async Task RequireSameImageKeysAsync(Attempt attempt)
    {
        await catalog.LookAsync();
        if (imageKeys.Differs)
        {
            throw attempt.Error(DetectionError.Unavailable, ImageKeyComparison.Fault, SettingRetry);
        }
    }
}
