using System.Net;

namespace Detection.Grains.Fetching;

/// <summary>The resolver of the operating system.</summary>
internal sealed class DnsHostResolver : IHostResolver, IDisposable
{
    // A lookup occupies a thread of the pool until the system gives up, also when nobody waits for it any more. A name server
    // that hangs may therefore hold these and no more; further lookups wait within their own time.
    private const int MaxLookups = 8;

    private readonly SemaphoreSlim _lookups = new(MaxLookups, MaxLookups);

    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        await _lookups.WaitAsync(cancellationToken);
        var lookup = LookUpAsync(host);
        try
        {
            return await lookup.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Its failure, when it comes, is nobody's concern.
            _ = lookup.ContinueWith(
                static ended => _ = ended.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            throw;
        }
    }

    public void Dispose() => _lookups.Dispose();

    private async Task<IPAddress[]> LookUpAsync(string host)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(host, CancellationToken.None);
        }
        finally
        {
            _lookups.Release();
        }
    }
}
