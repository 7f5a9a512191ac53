using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Orleans.Core;
using Orleans.Storage;

namespace Detection.Grains.Requests;

/// <summary>
/// The state of one request in the grain storage. It is read at its first use, not when the grain comes up: most requests
/// are answered without it. Calls interleave, so that reading is done once and writes come one after the other.
/// </summary>
internal sealed class KeptState(IGrainContext grain, IGrainStorage storage, ClusterClock time)
{
    private readonly StateStorageBridge<RequestState> _bridge = new("request", grain, storage);
    private Task? _reading;
    private Task _writing = Task.CompletedTask;

    /// <summary>What is kept.</summary>
    /// <exception cref="OrleansException">The storage cannot be reached.</exception>
    public async ValueTask<RequestState> ReadAsync()
    {
        if (_reading is null or { IsFaulted: true })
        {
            _reading = _bridge.ReadStateAsync();
        }

        await _reading;
        return _bridge.State;
    }

    /// <summary>Changes what is kept.</summary>
    /// <exception cref="OrleansException">The storage cannot be reached.</exception>
    public Task WriteAsync(Action<RequestState> change) => _writing = WriteAfterAsync(_writing, change);

    /// <summary>Keeps that a caller will ask for the end later.</summary>
    public async Task KeepAsynchronousAsync(RequestTerms terms, DateTimeOffset deadline)
    {
        var known = await ReadAsync();
        var hasWebhook = terms.Webhook is not null;
        if (!known.Asynchronous || known.End is not null || known.Deadline < deadline || (hasWebhook && !known.Webhooks)
            || (terms.Source is not null && known.Source is null))
        {
            await WriteAsync(kept =>
            {
                kept.Asynchronous = true;
                kept.Deadline = deadline;
                kept.End = null;
                kept.Webhooks |= hasWebhook;
                (kept.Source, kept.SourceCaller) = terms.Source is null ? (kept.Source, kept.SourceCaller) : (terms.Source, terms.Caller);
            });
        }
    }

    /// <summary>Keeps how the request ended.</summary>
    public Task KeepEndAsync(RequestSnapshot outcome) => WriteAsync(kept =>
    {
        kept.End = outcome;
        kept.EndedAt = time.GetUtcNow();
        kept.Webhooks = false;
        (kept.Source, kept.SourceCaller) = (null, null);
    });

    /// <summary>Clears the state of a request that is done: its result is in Redis.</summary>
    public Task ForgetAsync() => WriteAsync(static kept =>
    {
        kept.Asynchronous = false;
        kept.End = null;
        kept.Webhooks = false;
        (kept.Source, kept.SourceCaller) = (null, null);
    });

    private async Task WriteAfterAsync(Task before, Action<RequestState> change)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        change(await ReadAsync());
        try
        {
            await _bridge.WriteStateAsync();
        }
        catch (InconsistentStateException)
        {
            // The state expired after it was read, or another activation wrote it.
            await _bridge.ReadStateAsync();
            change(_bridge.State);
            await _bridge.WriteStateAsync();
        }
    }
}
