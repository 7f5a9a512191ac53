namespace Detection.Contracts.Scheduling;

/// <summary>Wakes one loop that waits for work. Setting it several times ends one wait.</summary>
public sealed class WakeSignal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0, 1);

    /// <summary>Ends the current wait, or the next one. It may be called at any time, also after disposal.</summary>
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
            // The last message of a subscription may arrive after disposal.
        }
    }

    /// <summary>Waits until it is set, at most for <paramref name="timeout"/>.</summary>
    /// <returns>Whether it was set.</returns>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _semaphore.WaitAsync(timeout, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _semaphore.Dispose();
}
