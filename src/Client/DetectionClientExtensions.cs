using System.Runtime.CompilerServices;
using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>What is made of the calls of <see cref="IDetectionClient"/>.</summary>
public static class DetectionClientExtensions
{
    /// <summary>
    /// Detects objects in many pictures, a few at a time, and gives their outcomes in the order of the pictures. Only as many are read ahead as are
    /// asked at once. A picture that fails does not end the others. Leaving the loop cancels those that are under way.
    /// </summary>
    /// <typeparam name="T">What a picture is read from.</typeparam>
    /// <param name="client">The client.</param>
    /// <param name="items">What the pictures are read from; <c>ToAsyncEnumerable()</c> makes one of a list.</param>
    /// <param name="read">Reads one encoded picture. What it throws ends the loop.</param>
    /// <param name="options">What each request chooses.</param>
    /// <param name="parallelism">Most pictures under way at once, from 1; default 4.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IAsyncEnumerable<DetectionOutcome<T>> DetectManyAsync<T>(
        this IDetectionClient client,
        IAsyncEnumerable<T> items,
        Func<T, CancellationToken, Task<ReadOnlyMemory<byte>>> read,
        DetectionOptions? options = null,
        int parallelism = 4,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentOutOfRangeException.ThrowIfLessThan(parallelism, 1);
        return DetectAllAsync(
            items,
            async (item, stop) => await client.DetectAsync(await read(item, stop).ConfigureAwait(false), options, stop).ConfigureAwait(false),
            parallelism,
            cancellationToken);
    }

    /// <summary>Detects objects in the pictures at many URLs, which the cluster fetches; otherwise as above.</summary>
    /// <inheritdoc cref="DetectManyAsync{T}"/>
    public static IAsyncEnumerable<DetectionOutcome<Uri>> DetectManyAsync(
        this IDetectionClient client,
        IAsyncEnumerable<Uri> items,
        DetectionOptions? options = null,
        int parallelism = 4,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfLessThan(parallelism, 1);
        return DetectAllAsync(items, (url, stop) => client.DetectAsync(url, options, stop), parallelism, cancellationToken);
    }

    private static async IAsyncEnumerable<DetectionOutcome<T>> DetectAllAsync<T>(
        IAsyncEnumerable<T> items, Func<T, CancellationToken, Task<DetectionAnswer>> detect, int parallelism, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var underWay = new Queue<Task<DetectionOutcome<T>>>(parallelism);
        try
        {
            await foreach (var item in items.WithCancellation(leaving.Token).ConfigureAwait(false))
            {
                if (underWay.Count == parallelism)
                {
                    yield return await underWay.Dequeue().ConfigureAwait(false);
                }

                underWay.Enqueue(TellAsync(item, detect, leaving.Token));
            }

            while (underWay.TryDequeue(out var next))
            {
                yield return await next.ConfigureAwait(false);
            }
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            foreach (var left in underWay)
            {
                await ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task<DetectionOutcome<T>> TellAsync<T>(T item, Func<T, CancellationToken, Task<DetectionAnswer>> detect, CancellationToken cancellationToken)
    {
        try
        {
            return new(item, await detect(item, cancellationToken).ConfigureAwait(false), null);
        }
        catch (DetectionException e)
        {
            return new(item, null, e);
        }
    }
}
