using Detection.Frontend.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Uploads;

/// <summary>Bounds the memory of all uploads in progress together, so that many large ones cannot exhaust the process.</summary>
internal sealed class UploadMemory(IOptions<FrontendOptions> options)
{
    private readonly long _capacity = options.Value.MaxBufferedBytes;
    private long _used;

    /// <summary>Bytes that are taken now.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <exception cref="ProblemException">They are not there.</exception>
    public void Take(int bytes)
    {
        if (Interlocked.Add(ref _used, bytes) > _capacity)
        {
            Give(bytes);
            throw new ProblemException(ProblemType.TooManyUploads, "The uploads in progress fill the memory set aside for them.");
        }
    }

    public void Give(int bytes) => Interlocked.Add(ref _used, -bytes);
}
