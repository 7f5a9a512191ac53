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
    private readonly CallerShares _bytes = new(options.Value.MaxBufferedBytes, options.Value.CallerBufferShare);

    public long Used => _bytes.Used;

    /// <summary>The share of a request's caller: its key, or its address when the server requires no keys.</summary>
    public UploadShare ShareOf(HttpContext http) => ShareOf(http.CallerOrAddress());

    public UploadShare ShareOf(string caller) => new(this, caller);

    /// <exception cref="ProblemException">The memory, or the caller's share of it, is used.</exception>
    public void Take(string caller, int bytes)
    {
        switch (_bytes.Take(caller, bytes))
        {
            case PlaceLimit.All:
                throw new ProblemException(ProblemType.TooManyUploads, "The uploads in progress use all upload memory (Detection:Frontend:MaxBufferedBytes).");
            case PlaceLimit.Caller:
                throw new ProblemException(ProblemType.RateLimited, "Your uploads in progress use your share of the upload memory. Wait until one has ended.");
        }
    }

    public void Give(string caller, int bytes) => _bytes.Give(caller, bytes);
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
