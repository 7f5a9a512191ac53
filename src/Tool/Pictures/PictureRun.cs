using System.Runtime.CompilerServices;
using Detection.Inference.Devices;
using Detection.Inference.Pictures;
using Detection.Tool.Models;

namespace Detection.Tool.Pictures;

/// <summary>The result for a picture.</summary>
/// <param name="Picture">The picture.</param>
/// <param name="Encoded">Its bytes; <see langword="null"/> when it could not be read.</param>
/// <param name="Outcome">The outcome of the model; <see langword="null"/> when the model was not run or failed.</param>
/// <param name="Error">The error, one sentence for people; <see langword="null"/> without an error.</param>
internal sealed record PictureResult(PictureSource Picture, byte[]? Encoded, PictureOutcome? Outcome, string? Error);

/// <summary>Runs any number of pictures through a model, with a limited number of them in memory.</summary>
internal static class PictureRun
{
    /// <summary>Number of pictures in a batch for a GPU.</summary>
    private const int GpuBatch = 32;

    /// <summary>Number of pictures in a batch for a CPU. It runs them one by one; this number keeps its cores busy.</summary>
    private static readonly int CpuBatch = Math.Max(8, Environment.ProcessorCount);

    /// <summary>Detects objects in all pictures. A failed picture is also a result.</summary>
    /// <param name="model">The model.</param>
    /// <param name="pictures">The pictures.</param>
    /// <param name="finish">Further work for each picture, on any thread, several at a time; may throw the exceptions of reading.</param>
    /// <param name="cancellationToken">Stops after the current pictures.</param>
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
            // The model must not be disposed before they have ended; the first failed one has reported the error.
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
