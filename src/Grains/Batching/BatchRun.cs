using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;

namespace Detection.Grains.Batching;

/// <summary>A batch on its device.</summary>
internal static class BatchRun
{
    /// <summary>
    /// Runs pictures and gives their outcomes as they come, all together that have come by then. When the run breaks off, the pictures
    /// without an outcome fail with its exception.
    /// </summary>
    /// <param name="session">The model on the device.</param>
    /// <param name="work">The pictures and whose they are.</param>
    /// <param name="cancellationToken">Gives up pictures that are not begun.</param>
    /// <exception cref="OperationCanceledException">Cancelled; pictures without an outcome were not begun.</exception>
    public static async IAsyncEnumerable<List<(QueuedItem Item, PictureOutcome Outcome)>> DetectAsync(
        IModelSession session, IReadOnlyList<(QueuedItem Item, PictureWork Picture)> work, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var outcomes = Channel.CreateUnbounded<(int Index, PictureOutcome Outcome)>(new() { SingleReader = true });
        var run = RunAsync();
        var hasOutcome = new bool[work.Count];
        while (await outcomes.Reader.WaitToReadAsync(CancellationToken.None))
        {
            var ended = new List<(QueuedItem, PictureOutcome)>();
            while (outcomes.Reader.TryRead(out var outcome))
            {
                hasOutcome[outcome.Index] = true;
                ended.Add((work[outcome.Index].Item, outcome.Outcome));
            }

            yield return ended;
        }

        var error = await run;
        if (hasOutcome.Contains(false))
        {
            var failed = new PictureOutcome(
                OutcomeKind.Failed, 0, 0, [], error ?? new InvalidOperationException("The run ended without an outcome."), default, default, default, default);
            yield return [.. work.Where((_, index) => !hasOutcome[index]).Select(one => (one.Item, failed))];
        }

        async Task<Exception?> RunAsync()
        {
            try
            {
                await session.DetectAsync(
                    [.. work.Select(static one => one.Picture)], (index, outcome) => outcomes.Writer.TryWrite((index, outcome)), cancellationToken);
                return null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception e)
            {
                return e;
            }
            finally
            {
                outcomes.Writer.Complete();
            }
        }
    }
}
