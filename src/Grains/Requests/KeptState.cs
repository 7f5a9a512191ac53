using Orleans.Core;
using Orleans.Storage;

namespace Detection.Grains.Requests;

/// <summary>
/// The state of one request in the grain storage. It is read at its first use, not when the grain comes up: most requests
/// are answered without it. Calls interleave, so that reading is done once and writes come one after the other.
/// </summary>
internal sealed class KeptState(IGrainContext grain, IGrainStorage storage)
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
            // What was read has expired meanwhile, or another activation wrote.
            await _bridge.ReadStateAsync();
            change(_bridge.State);
            await _bridge.WriteStateAsync();
        }
    }
}
