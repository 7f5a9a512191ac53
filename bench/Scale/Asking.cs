using System.Buffers.Binary;
using System.Diagnostics;
using Detection.Client;

namespace Detection.Bench.Scale;

/// <summary>Callers that send new pictures through the client library: request grain, queue, batcher and back.</summary>
internal sealed class Asking(IDetectionClient client, int callers, int pictureBytes)
{
    private long _answered;
    private long _failed;
    private long _next;

    public long Answered => Volatile.Read(ref _answered);

    public long Failed => Volatile.Read(ref _failed);

    public async Task RunAsync(CancellationToken stopped)
    {
        var seed = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(() => AskAsync(seed, stopped), CancellationToken.None)));
    }

    private async Task AskAsync(long seed, CancellationToken stopped)
    {
        var picture = new byte[pictureBytes];
        BinaryPrimitives.WriteInt64LittleEndian(picture, seed);
        while (!stopped.IsCancellationRequested)
        {
            BinaryPrimitives.WriteInt64LittleEndian(picture.AsSpan(8), Interlocked.Increment(ref _next));
            try
            {
                await client.DetectAsync(picture, null, CancellationToken.None);
                Interlocked.Increment(ref _answered);
            }
            catch (DetectionException)
            {
                // Too busy, or the deadline passed: counted. A write to Redis may still use the picture.
                Interlocked.Increment(ref _failed);
                picture = picture.ToArray();
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }
}
