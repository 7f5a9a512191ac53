using Detection.Contracts.Storage;
using Detection.Objects;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>Runs requests under their deadlines and turns what goes wrong into <see cref="DetectionException"/>.</summary>
internal sealed class OperationRunner(
    IOptions<DetectionClientOptions> options, ClientConnections connections, ModelCatalog catalog, TimeProvider time, ILogger<DetectionClient> logger)
{
    private readonly string _defaultModel = options.Value.DefaultModel;

    /// <summary>Deadline of a request that names none.</summary>
    public TimeSpan DefaultDeadline { get; } = options.Value.Deadline;

    /// <summary>Runs <paramref name="action"/> under the request's deadline.</summary>
    /// <param name="choice">What the request chose.</param>
    /// <param name="imageKey">Key of the picture, where it is known.</param>
    /// <param name="action">The request.</param>
    /// <param name="cancellationToken">Cancelled when the caller cancels.</param>
    /// <param name="counts">Whether the operation counts in metrics and traces as a request for a picture.</param>
    public async Task<T> RunAsync<T>(
        DetectionOptions? choice, string? imageKey, Func<ClientOperation, Task<T>> action, CancellationToken cancellationToken, bool counts = false)
    {
        var options = Validated(choice ?? new DetectionOptions());
        cancellationToken.ThrowIfCancellationRequested();
        if (SynchronizationContext.Current is not null || TaskScheduler.Current != TaskScheduler.Default)
        {
            // Leave the context of the caller: a thread that blocks on the answer (a user interface, a grain) would otherwise wait for itself.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        using var operation = new ClientOperation(options, DefaultDeadline, time, cancellationToken) { ImageKey = imageKey };
        var started = counts ? time.GetTimestamp() : 0;
        var span = counts ? ClientMetrics.Begin() : null;
        try
        {
            return await action(operation);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            // With the token of the caller.
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (OperationCanceledException) when (operation.Token.IsCancellationRequested)
        {
            // The deadline of a picture ends its request. When a look-up times out, the request that it asks about may still succeed.
            throw counts
                ? operation.DeadlineExceeded(await catalog.ExplainAsync(operation.Options.Model ?? _defaultModel))
                : operation.Error(FailureReason.Unavailable, "The cluster did not respond within the deadline. Retry.", TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (RedisConnection.IsFull(e))
        {
            throw operation.Error(FailureReason.StorageFull, RefusalMessages.StorageFull(connections.Redis, e), TimeSpan.FromSeconds(1), e);
        }
        catch (RedisServerException e) when (RedisConnection.IsShareUsed(e))
        {
            throw operation.Error(FailureReason.ShareUsed, RefusalMessages.MemoryShareUsed(operation.Options.Caller), TimeSpan.FromSeconds(1), e);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            if (e is RedisServerException)
            {
                logger.LogRefused(imageKey, e.Message);
            }

            throw operation.Error(FailureReason.Unavailable, $"The cluster's {RedisConnection.Explain(e)}", TimeSpan.FromSeconds(1), e);
        }
        catch (Exception e) when (e is not (DetectionException or ObjectDisposedException or OutOfMemoryException))
        {
            ObjectDisposedException.ThrowIf(connections.IsDisposed, typeof(IDetectionClient));
            logger.LogUnforeseen(e, operation.ImageKey);
            throw operation.Error(FailureReason.Internal, "The request failed with an unexpected error. The log of the application has the details.", inner: e);
        }
        finally
        {
            if (counts)
            {
                ClientMetrics.End(span, operation.ImageKey, operation.Model, operation.Outcome, time.GetElapsedTime(started));
            }
        }
    }

    private static DetectionOptions Validated(DetectionOptions options)
    {
        Check(options.Threshold is null or (>= 0 and <= 1), nameof(options.Threshold), "from 0 to 1");
        Check(options.Iou is null or (> 0 and <= 1), nameof(options.Iou), "above 0 and at most 1");
        Check(options.MaxObjects is null or > 0, nameof(options.MaxObjects), "above 0");
        Check(options.Deadline is null || (options.Deadline > TimeSpan.Zero && options.Deadline <= DetectionOptions.MaxDeadline), nameof(options.Deadline), $"above 0 and at most {DetectionOptions.MaxDeadline}");
        Check(options.Caller is null || DetectionOptions.IsCaller(options.Caller), nameof(options.Caller), $"1 to {DetectionOptions.CallerLength} letters, digits or . _ : @ -");
        return options;

        static void Check(bool valid, string name, string range)
        {
            if (!valid)
            {
                throw new ArgumentOutOfRangeException(name, $"{name} must be {range}.");
            }
        }
    }
}
