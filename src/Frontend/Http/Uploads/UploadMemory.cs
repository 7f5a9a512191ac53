using Detection.Contracts.Answers;
using Detection.Contracts.Sharing;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Uploads;

/// <summary>
/// Limits the memory of all uploads in progress and of pictures being drawn, so that they cannot exhaust the process. A caller may hold a
/// share of what the other callers leave, so there is always memory for one more caller.
/// </summary>
internal sealed class UploadMemory(IOptions<FrontendOptions> options)
{
    private readonly Lock _gate = new();
    private readonly long _capacity = options.Value.MaxBufferedBytes;
    private readonly double _share = options.Value.CallerBufferShare;
    private readonly Dictionary<string, long> _byCaller = new(StringComparer.Ordinal);
    private long _used;

    public long Used => Volatile.Read(ref _used);

    /// <summary>The share of a request's caller: its key, or its address when the server requires no keys.</summary>
    public UploadShare ShareOf(HttpContext http) => ShareOf(http.CallerOrAddress());

    public UploadShare ShareOf(string caller) => new(this, caller);

    /// <exception cref="ProblemException">The memory, or the caller's share of it, is used.</exception>
    public void Take(string caller, int bytes)
    {
        lock (_gate)
        {
            var own = _byCaller.GetValueOrDefault(caller);
            if (_used + bytes > _capacity)
            {
                throw new ProblemException(ProblemType.TooManyUploads, "The uploads in progress use all upload memory (Detection:Frontend:MaxBufferedBytes).");
            }

            if (!FairShare.Allows(own, bytes, _capacity - _used, _share))
            {
                throw new ProblemException(ProblemType.RateLimited, "Your uploads in progress use your share of the upload memory. Wait until one has ended.");
            }

            _byCaller[caller] = own + bytes;
            _used += bytes;
        }
    }

    public void Give(string caller, int bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
            var own = _byCaller.GetValueOrDefault(caller) - bytes;
            if (own > 0)
            {
                _byCaller[caller] = own;
            }
            else
            {
                _byCaller.Remove(caller);
            }
        }
    }
}

/// <summary>The share of the upload memory of one caller.</summary>
internal sealed class UploadShare(UploadMemory memory, string caller)
{
    public string Caller => caller;

    /// <exception cref="ProblemException">The memory, or the caller's share of it, is used.</exception>
    public void Take(int bytes) => memory.Take(caller, bytes);

    public void Give(int bytes)
    {
        if (bytes > 0)
        {
            memory.Give(caller, bytes);
        }
    }
}
