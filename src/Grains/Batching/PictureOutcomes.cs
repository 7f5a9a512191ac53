using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;

namespace Detection.Grains.Batching;

/// <summary>The outcomes of a batch on its device.</summary>
internal static class PictureOutcomes
{
    /// <summary>Runs items and returns their outcomes as they arrive, grouped when several arrive together.</summary>
    /// <param name="feed">Feeds the pictures to the device.</param>
    /// <param name="items">The items.</param>
    /// <param name="cancellationToken">Drops pictures that have not started.</param>
    /// <returns>The outcomes; <see langword="null"/> for an item whose picture is not stored any more.</returns>
    /// <exception cref="StackExchange.Redis.RedisException">A picture could not be fetched; it has no outcome, the others have one.</exception>
    /// <exception cref="StackExchange.Redis.RedisTimeoutException">As above.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; pictures without an outcome were not started.</exception>
    public static async IAsyncEnumerable<List<(QueuedItem Item, PictureOutcome? Outcome)>> DetectAsync(
        PictureFeed feed, IReadOnlyList<QueuedItem> items, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var outcomes = Channel.CreateUnbounded<(int Index, PictureOutcome? Outcome)>(new() { SingleReader = true });
        var run = RunAsync();
        try
        {
            while (await outcomes.Reader.WaitToReadAsync(CancellationToken.None))
            {
                var ended = new List<(QueuedItem, PictureOutcome?)>();
                while (outcomes.Reader.TryRead(out var outcome))
                {
                    ended.Add((items[outcome.Index], outcome.Outcome));
                }

                yield return ended;
            }

            await run;
        }
        finally
        {
            // The caller may use the device again only when no picture of the batch is on it.
            await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task RunAsync()
        {
            try
            {
                await feed.RunAsync(items, (index, outcome) => outcomes.Writer.TryWrite((index, outcome)), cancellationToken);
            }
            finally
            {
                outcomes.Writer.Complete();
            }
        }
    }
}
