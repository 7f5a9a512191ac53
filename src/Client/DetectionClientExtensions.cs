using System.Runtime.CompilerServices;
using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>Methods that combine calls of <see cref="IDetectionClient"/>.</summary>
public static class DetectionClientExtensions
{
    /// <summary>
    /// Detects objects in many pictures, a few at a time, and returns their outcomes in the order of the pictures. It reads at most
    /// <paramref name="parallelism"/> pictures ahead. The failure of one picture does not affect the others. When the caller leaves the loop, open
    /// requests are cancelled.
    /// </summary>
    /// <typeparam name="T">Type of an item: a path, a URL, a key of a store.</typeparam>
    /// <param name="client">The client.</param>
    /// <param name="items">The items; <c>ToAsyncEnumerable()</c> converts a list.</param>
    /// <param name="read">Reads the encoded picture of an item. An exception that it throws ends the loop.</param>
    /// <param name="options">Options of each request.</param>
    /// <param name="parallelism">Maximum number of concurrent requests, from 1; default 4.</param>
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

    /// <summary>Detects objects in the pictures at many URLs, which the cluster fetches. Otherwise the same as the method above.</summary>
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
