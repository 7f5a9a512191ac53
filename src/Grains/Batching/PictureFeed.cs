using Detection.Contracts.Pictures;
using Detection.Contracts.Storage;
using Detection.Grains.Health;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using StackExchange.Redis;

namespace Detection.Grains.Batching;

/// <summary>
/// Fetches the pictures of a batch and feeds them to the device: each as soon as it has arrived when the device runs single pictures, otherwise those
/// that arrived together. A missing picture does not delay the others. When pictures are run singly, only a few are fetched ahead, because a batch of
/// the largest pictures would be hundreds of megabytes.
/// </summary>
/// <param name="store">The store of the pictures.</param>
/// <param name="keys">Checks that bytes are those of the picture that an item names.</param>
/// <param name="clock">Clock of the items' deadlines.</param>
/// <param name="session">The model on the device.</param>
/// <param name="onDevice">The model's pictures on the device.</param>
/// <param name="ahead">Places for pictures that are fetched or run singly: <see cref="MaxAhead"/> for all batches of the session.</param>
/// <param name="fetched">Called when a picture has arrived or is known to be missing, before it is decoded. Returns whether the picture starts; if
/// not, its outcome is <see cref="Deferred"/>.
/// </param>
internal sealed class PictureFeed(
    PictureStore store, ImageKeys keys, ClusterClock clock, IModelSession session, PicturesOnDevice onDevice, SemaphoreSlim ahead, Func<QueuedItem, Lease<byte>?, bool> fetched)
{
    /// <summary>
    /// For a session that runs pictures singly, the maximum number of pictures that are fetched or run: each processor has its next one, and some are
    /// in transfer.
    /// </summary>
    public static readonly int MaxAhead = (2 * Environment.ProcessorCount) + 4;

    /// <summary>The outcome of a picture that was not started.</summary>
    public static readonly PictureOutcome Deferred = new(OutcomeKind.Expired, 0, 0, [], null, default, default, default, default);

    /// <summary>Runs items. When a run fails, its pictures without an outcome fail with its exception.</summary>
    /// <param name="items">The items.</param>
    /// <param name="completed">
    /// Called at most once for each item, with its index and the outcome, or <see langword="null"/> when its picture is not stored any more.
    /// </param>
    /// <param name="cancellationToken">Drops pictures that have not started.</param>
    /// <exception cref="RedisException">A picture could not be fetched; the others are completed nevertheless.</exception>
    /// <exception cref="RedisTimeoutException">As above.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the remaining items are not completed.</exception>
    public async Task RunAsync(IReadOnlyList<QueuedItem> items, Action<int, PictureOutcome?> completed, CancellationToken cancellationToken)
    {
        if (session.RunsSingly)
        {
            await Task.WhenAll(items.Select((item, index) => RunAsync(item, outcome => completed(index, outcome), cancellationToken)));
        }
        else
        {
            await RunAsync(items, completed, [.. items.Select(item => FetchAsync(item, cancellationToken))], cancellationToken);
        }
    }

    private async Task RunAsync(QueuedItem item, Action<PictureOutcome?> completed, CancellationToken cancellationToken)
    {
        await ahead.WaitAsync(cancellationToken);
        try
        {
            await RunAsync([item], (_, outcome) => completed(outcome), [FetchAsync(item, cancellationToken)], cancellationToken);
        }
        finally
        {
            ahead.Release();
        }
    }

    private async Task RunAsync(
        IReadOnlyList<QueuedItem> items, Action<int, PictureOutcome?> completed, Task<(Lease<byte>? Picture, bool Begun)>[] fetches, CancellationToken cancellationToken)
    {
        await ((Task)Task.WhenAll(fetches)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            var work = new List<(int Index, PictureWork Picture)>(items.Count);
            for (var i = 0; i < fetches.Length; i++)
            {
                if (!fetches[i].IsCompletedSuccessfully)
                {
                    continue;
                }

                var (picture, begun) = await fetches[i];
                if (!begun)
                {
                    completed(i, Deferred);
                }
                else if (picture is not null)
                {
                    var item = items[i];
                    work.Add((i, new PictureWork(
                        picture.Memory,
                        item.Key.Iou,
                        clock.ToLocal(item.Deadline),
                        IsGenuine: bytes => keys.Matches(item.Key.ImageKey, bytes.Span, item.Caller))));
                }
                else
                {
                    completed(i, null);
                }
            }

            if (work.Count > 0)
            {
                await DetectAsync(work, completed, cancellationToken);
            }

            // When several pictures were not fetched, the first exception is thrown.
            await Task.WhenAll(fetches);
        }
        finally
        {
            foreach (var fetch in fetches.Where(static fetch => fetch.IsCompletedSuccessfully))
            {
                PictureBuffers.Return((await fetch).Picture);
            }
        }
    }

    private async Task DetectAsync(
        List<(int Index, PictureWork Picture)> work, Action<int, PictureOutcome?> completed, CancellationToken cancellationToken)
    {
        var hasOutcome = new bool[work.Count];
        PicturesOnDevice.Visit[] visits = [.. work.Select(_ => onDevice.Expect())];
        Exception error = new InvalidOperationException("The run ended without an outcome.");
        try
        {
            await session.DetectAsync([.. work.Select((one, i) => one.Picture with { Decoded = visits[i].Begin })], Complete, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            error = e;
        }
        finally
        {
            Array.ForEach(visits, static visit => visit.Dispose());
        }

        var failed = new PictureOutcome(OutcomeKind.Failed, 0, 0, [], error, default, default, default, default);
        for (var i = 0; i < work.Count; i++)
        {
            if (!hasOutcome[i])
            {
                completed(work[i].Index, failed);
            }
        }

        void Complete(int index, PictureOutcome outcome)
        {
            hasOutcome[index] = true;
            visits[index].Dispose();
            completed(work[index].Index, outcome);
        }
    }

    private async Task<(Lease<byte>? Picture, bool Begun)> FetchAsync(QueuedItem item, CancellationToken cancellationToken)
    {
        var picture = await store.ReadAsync(item.Key.ImageKey, cancellationToken);
        if (fetched(item, picture))
        {
            return (picture, true);
        }

        PictureBuffers.Return(picture);
        return (null, false);
    }
}
