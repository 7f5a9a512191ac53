using System.Runtime.CompilerServices;
using Detection.Inference.Devices;
using Detection.Inference.Pictures;
using Detection.Tool.Models;

namespace Detection.Tool.Pictures;

/// <summary>What became of a picture.</summary>
/// <param name="Picture">The picture.</param>
/// <param name="Encoded">Its bytes; <see langword="null"/> when it could not be read.</param>
/// <param name="Outcome">What the model said; <see langword="null"/> when it was not asked or failed.</param>
/// <param name="Error">What went wrong, one sentence for people; <see langword="null"/> when nothing did.</param>
internal sealed record PictureResult(PictureSource Picture, byte[]? Encoded, PictureOutcome? Outcome, string? Error);

/// <summary>Takes any number of pictures through a model, a bounded number of them in memory.</summary>
internal static class PictureRun
{
    /// <summary>Pictures given to a GPU at a time.</summary>
    private const int GpuBatch = 32;

    /// <summary>Pictures given to a CPU at a time. It takes them one by one; this many keep its cores busy.</summary>
    private static readonly int CpuBatch = Math.Max(8, Environment.ProcessorCount);

    /// <summary>Detects in all pictures. One that fails is a result like others.</summary>
    /// <param name="model">The model.</param>
    /// <param name="pictures">The pictures.</param>
    /// <param name="finish">What else is to be done with a picture, on any thread, several at a time; may throw what reading may.</param>
    /// <param name="cancellationToken">Ends the run after the pictures under way.</param>
    /// <returns>The results in the order of the pictures.</returns>
    public static async IAsyncEnumerable<(PictureResult Result, T? Finished)> DetectAsync<T>(
        LoadedModel model,
        IEnumerable<PictureSource> pictures,
        Func<PictureResult, T> finish,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var running = new Queue<Task<List<(PictureResult, T?)>>>();
        try
        {
            foreach (var batch in pictures.Chunk(model.OnCpu ? CpuBatch : GpuBatch))
            {
                if (running.Count >= model.Session.Concurrency)
                {
                    foreach (var done in await running.Dequeue())
                    {
                        yield return done;
                    }
                }

                running.Enqueue(Task.Run(() => DetectBatchAsync(model, batch, finish, cancellationToken), cancellationToken));
            }

            while (running.TryDequeue(out var next))
            {
                foreach (var done in await next)
                {
                    yield return done;
                }
            }
        }
        finally
        {
            // The model may not be given back before they have ended; the first that failed has reported the error.
            await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<List<(PictureResult Result, T? Finished)>> DetectBatchAsync<T>(
        LoadedModel model, PictureSource[] batch, Func<PictureResult, T> finish, CancellationToken cancellationToken)
    {
        var read = await Task.WhenAll(batch.Select(picture => ReadAsync(picture, cancellationToken)));
        var readable = read.Where(picture => picture.Encoded is not null).ToArray();
        var finished = new Task<(PictureResult, T?)>[readable.Length];
        var works = readable.Select(picture => new PictureWork(picture.Encoded, null, DateTimeOffset.MaxValue)).ToArray();
        try
        {
            await model.Session.DetectAsync(
                works,
                (index, outcome) => finished[index] = Task.Run(() => Finish(readable[index], outcome, finish), CancellationToken.None),
                cancellationToken);
        }
        finally
        {
            await ((Task)Task.WhenAll(finished.Where(task => task is not null))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var results = await Task.WhenAll(finished);
        var next = 0;
        return [.. read.Select(picture => picture.Encoded is null ? (picture, default(T)) : results[next++])];
    }

    private static async Task<PictureResult> ReadAsync(PictureSource picture, CancellationToken cancellationToken)
    {
        try
        {
            return new PictureResult(picture, await picture.ReadAsync(cancellationToken), null, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PictureException)
        {
            return new PictureResult(picture, null, null, e.Message);
        }
    }

    private static (PictureResult, T?) Finish<T>(PictureResult picture, PictureOutcome outcome, Func<PictureResult, T> finish)
    {
        if (outcome.Kind != OutcomeKind.Detected)
        {
            return (picture with { Error = outcome.Error?.Message ?? "not detected" }, default);
        }

        var result = picture with { Outcome = outcome };
        try
        {
            return (result, finish(result));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PictureException)
        {
            return (picture with { Error = e.Message }, default);
        }
    }
}
