using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Orleans.Core;
using Orleans.Storage;

namespace Detection.Grains.Requests;

/// <summary>
/// The state of one request in the grain storage. It is read at its first use and not at activation, because most requests are answered without it.
/// Calls interleave, so it is read only once, and writes are queued one after the other.
/// </summary>
internal sealed class KeptState(IGrainContext grain, IGrainStorage storage, ClusterClock time)
{
    private readonly StateStorageBridge<RequestState> _bridge = new("request", grain, storage);
    private Task? _reading;
    private Task _writing = Task.CompletedTask;

    /// <summary>The stored state.</summary>
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

    /// <summary>Changes the stored state.</summary>
    /// <exception cref="OrleansException">The storage cannot be reached.</exception>
    public Task WriteAsync(Action<RequestState> change) => _writing = WriteAfterAsync(_writing, change);

    /// <summary>Stores that a caller will ask for the answer later.</summary>
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

    /// <summary>Stores the final state of the request.</summary>
    public Task KeepEndAsync(RequestSnapshot outcome) => WriteAsync(kept =>
    {
        kept.End = outcome;
        kept.EndedAt = time.GetUtcNow();
        kept.Webhooks = false;
        kept.FetchesAgain = false;
        (kept.Source, kept.SourceCaller) = (null, null);
    });

    /// <summary>Clears the state of a completed request: its result is in Redis.</summary>
    public Task ForgetAsync() => WriteAsync(static kept =>
    {
        kept.Asynchronous = false;
        kept.End = null;
        kept.Webhooks = false;
        kept.FetchesAgain = false;
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
