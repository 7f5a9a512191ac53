namespace Detection.Contracts.Scheduling;

/// <summary>Wakes one loop that waits for work. However often it is set meanwhile, it ends one wait.</summary>
public sealed class WakeSignal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0, 1);

    /// <summary>Ends the present wait, or the next one. It may be called at any time, also after the end.</summary>
    public void Set()
    {
        try
        {
            _semaphore.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is set already.
        }
        catch (ObjectDisposedException)
        {
            // A last message of a subscription after the end.
        }
    }

    /// <summary>Waits until it is set, at most for <paramref name="timeout"/>.</summary>
    /// <returns>Whether it was set.</returns>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _semaphore.WaitAsync(timeout, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _semaphore.Dispose();
}
