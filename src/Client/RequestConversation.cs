using System.Diagnostics;
using Detection.Contracts.Answers;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Objects;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>
/// Calls the grain of one request: asks for the work, stores the picture when the cluster needs it, and asks again until the request has ended. Every
/// call may be repeated.
/// </summary>
internal sealed class RequestConversation(
    ClientConnections connections, ModelLookup models, SharedWatches watches, TimeProvider time, ILogger<DetectionClient> logger)
{
    /// <summary>A wait is short, because a call to a silo that died is not answered until it times out.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    /// <summary>How much longer than its wait a call may take.</summary>
    public static readonly TimeSpan CallGrace = TimeSpan.FromSeconds(1);

    /// <summary>Pause between two calls that wait: a silo that is stopping answers before the wait is over.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Finds the result of one picture, or has it computed. <see langword="null"/> when the cluster needs the picture and this process does not have
    /// it, because it came from a URL.
    /// </summary>
    public async Task<DetectionAnswer?> DetectAsync(ClientOperation operation, string imageKey, ReadOnlyMemory<byte> picture)
    {
        operation.ImageKey = imageKey;
        var model = await models.FindAsync(operation, wait: true);
        var key = new RequestKey(model.Id, imageKey, operation.Options.Iou);
        var (cached, stored) = await FindOrStoreAsync(operation, key, picture);
        if (cached is not null)
        {
            return AnswerMapping.ToAnswer(operation, imageKey, model, cached, AnswerSource.Cached);
        }

        if (await AskUntilAcceptedOrEndedAsync(
            operation, key, picture, stored, MaxWait, () => new RequestTerms(operation.Left, TraceParent: Activity.Current?.Id, Caller: operation.Options.Caller)) is not var (snapshot, joined))
        {
            return null;
        }

        if (snapshot.Status == RequestStatus.Done)
        {
            return AnswerMapping.ToAnswer(operation, imageKey, model, snapshot.Result!, joined ? AnswerSource.Joined : AnswerSource.Computed);
        }

        return IsModelGone(snapshot)
            ? await models.WithNextModelAsync(operation, () => DetectAsync(operation, imageKey, picture))
            : throw AnswerMapping.ToException(operation, snapshot.Failure!);
    }

    /// <summary>Puts one picture into the queue. <see langword="null"/> as for <see cref="DetectAsync"/>.</summary>
    public async Task<DetectionTicket?> SubmitAsync(ClientOperation operation, string imageKey, ReadOnlyMemory<byte> picture, Uri? webhook, Uri? source = null)
    {
        operation.ImageKey = imageKey;
        var model = await models.FindAsync(operation, wait: true);
        var key = new RequestKey(model.Id, imageKey, operation.Options.Iou);
        var (cached, stored) = await FindOrStoreAsync(operation, key, picture);
        if (cached is not null && webhook is null)
        {
            return AnswerMapping.ToTicket(operation, imageKey, model, cached);
        }

        var webhookTerms = webhook is null
            ? null
            : new WebhookTerms(webhook, AnswerMapping.ChoiceOf(operation.Options, model) with { Labels = operation.Options.Labels?.ToArray() });
        if (await AskUntilAcceptedOrEndedAsync(
            operation, key, picture, stored, TimeSpan.Zero, () => new RequestTerms(operation.Left, Asynchronous: true, Activity.Current?.Id, operation.Options.Caller, webhookTerms, source)) is not var (snapshot, _))
        {
            return null;
        }

        return IsModelGone(snapshot)
            ? await models.WithNextModelAsync(operation, () => SubmitAsync(operation, imageKey, picture, webhook, source))
            : AnswerMapping.ToTicket(operation, imageKey, model, snapshot);
    }

    /// <summary>Waits for a change of a request. Watching does not keep the work alive.</summary>
    /// <param name="operation">The look-up.</param>
    /// <param name="imageKey">The picture's key.</param>
    /// <param name="wait">How long to wait for the end, or for a change from <paramref name="known"/>.</param>
    /// <param name="known">The status that the caller knows.</param>
    public async Task<DetectionTicket> WatchAsync(ClientOperation operation, string imageKey, TimeSpan wait, DetectionStatus? known)
    {
        var model = await models.FindAsync(operation, wait: false);
        var key = new RequestKey(model.Id, imageKey, operation.Options.Iou);
        if (await connections.Results.FindAsync(key) is { } cached)
        {
            return AnswerMapping.ToTicket(operation, imageKey, model, cached);
        }

        RequestStatus? before = known switch
        {
            DetectionStatus.Queued => RequestStatus.Queued,
            DetectionStatus.Running => RequestStatus.Running,
            _ => null,
        };
        var started = time.GetTimestamp();
        RequestSnapshot? underWay = null;
        while (true)
        {
            operation.ThrowIfCancelled();
            var left = wait - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero && underWay is not null)
            {
                return AnswerMapping.ToTicket(operation, imageKey, model, underWay);
            }

            // While there is time, calls that wait follow one another. After that, one call returns the current status.
            var watch = await AskAsync(operation, key, request => watches.AwaitAsync(request, key, before, left, operation.Token));
            if (watch is not { Call.IsCompletedSuccessfully: true })
            {
                continue;
            }

            var snapshot = await watch.Call;
            if (snapshot.Status is RequestStatus.Queued or RequestStatus.Running && (before is null || snapshot.Status == before))
            {
                underWay = snapshot;
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(Pause, time, operation.Token);
                }
            }
            else if (watch.Began >= started)
            {
                AnswerMapping.ThrowIfRefused(operation, snapshot, connections.Redis);
                return AnswerMapping.ToTicket(operation, imageKey, model, snapshot);
            }
        }
    }

    /// <summary>Reads an answer that is cached.</summary>
    public async Task<DetectionAnswer?> FindAsync(ClientOperation operation, string imageKey)
    {
        var model = await models.FindAsync(operation, wait: false);
        return await connections.Results.FindAsync(new RequestKey(model.Id, imageKey, operation.Options.Iou)) is { } result
            ? AnswerMapping.ToAnswer(operation, imageKey, model, result, AnswerSource.Cached)
            : null;
    }

    /// <summary>
    /// Asks for the work, and stores the picture when the cluster does not know it, until the request has ended or, for a caller that does not wait
    /// for the end, was accepted.
    /// </summary>
    /// <param name="operation">The request.</param>
    /// <param name="key">Its key.</param>
    /// <param name="picture">The picture; empty when it came from a URL.</param>
    /// <param name="stored">Whether the picture is in the picture store.</param>
    /// <param name="wait">How long one call waits for the end; zero for a caller that does not wait.</param>
    /// <param name="terms">The terms of a call made now.</param>
    /// <returns>
    /// <see langword="null"/> when the picture is needed and this process does not have it. Otherwise the request, and whether another request put it
    /// in the queue.
    /// </returns>
    private async Task<(RequestSnapshot Snapshot, bool Joined)?> AskUntilAcceptedOrEndedAsync(
        ClientOperation operation, RequestKey key, ReadOnlyMemory<byte> picture, bool stored, TimeSpan wait, Func<RequestTerms> terms)
    {
        var mine = false;
        while (true)
        {
            operation.ThrowIfCancelled();
            var now = terms();
            if (await AskAsync(
                operation, key, request => stored ? request.Submit(now, wait, operation.Token) : request.Ask(now, wait, operation.Token)) is not { } snapshot)
            {
                continue;
            }

            AnswerMapping.ThrowIfRefused(operation, snapshot, connections.Redis);

            // Once this request has queued the work, a later answer with "joined" means its own work.
            mine |= stored && !snapshot.Joined;
            switch (snapshot.Status)
            {
                case RequestStatus.Failed when snapshot.Failure!.Reason == FailureReason.PictureLost && picture.IsEmpty:
                    return null;
                case RequestStatus.Failed when snapshot.Failure!.Reason != FailureReason.PictureLost:
                case RequestStatus.Done:
                case RequestStatus.Queued or RequestStatus.Running when wait == TimeSpan.Zero:
                    return (snapshot, snapshot.Joined && !mine);
                case RequestStatus.Queued or RequestStatus.Running:
                    // The work is under way; the picture need not be stored.
                    stored = false;
                    await Task.Delay(Pause, time, operation.Token);
                    break;
                default:
                    // The cluster does not know the picture, or no longer does, or the request ended without a fault of the picture.
                    await StoreAsync(operation, key.ImageKey, picture);
                    stored = true;
                    break;
            }
        }
    }

    /// <summary>Calls the grain of a request; <see langword="null"/> when the call failed with an error after which a retry can succeed.</summary>
    private async Task<T?> AskAsync<T>(ClientOperation operation, RequestKey key, Func<IRequestGrain, Task<T>> call)
        where T : class
    {
        try
        {
            var grains = await connections.Cluster.GetGrainsAsync(operation.Token);
            return await CallAsync(call(grains.GetGrain<IRequestGrain>(key.ToString())), operation);
        }
        catch (Exception e) when (operation.CanRetry(e))
        {
            logger.LogRetry(key.ImageKey, e.GetType().Name, e.Message);
            await operation.BackOffAsync(Math.Min(10, ++operation.Retries));
            return null;
        }
    }

    /// <summary>
    /// Waits for a call, slightly longer than the call may take. It does not cancel the call: that would tell the grain that the caller has left.
    /// </summary>
    private Task<T> CallAsync<T>(Task<T> call, ClientOperation operation)
    {
        var limit = MaxWait + CallGrace;
        return call.WaitAsync(limit < operation.Left ? limit : operation.Left + TimeSpan.FromMilliseconds(50), time, operation.Token);
    }

    /// <summary>Returns the result if there is one. Otherwise stores the picture, unless the work is under way.</summary>
    private async Task<(DetectionResult? Result, bool Stored)> FindOrStoreAsync(ClientOperation operation, RequestKey key, ReadOnlyMemory<byte> picture)
    {
        var finding = connections.Results.LookAsync(key);

        // In the same round trip: whether the picture of a known result is still there.
        var looking = picture.IsEmpty ? Task.FromResult(true) : connections.Pictures.ContainsAsync(key.ImageKey);
        await Task.WhenAll(finding, looking);
        var (result, isUnderWay) = await finding;
        if (result is not null)
        {
            await KeepAsync(operation, key.ImageKey, picture, await looking);
            return (result, false);
        }

        if (isUnderWay)
        {
            return (null, false);
        }

        await StoreAsync(operation, key.ImageKey, picture);
        return (null, true);
    }

    // A picture from a URL is in Redis already.
    private Task StoreAsync(ClientOperation operation, string imageKey, ReadOnlyMemory<byte> picture) =>
        picture.IsEmpty ? Task.CompletedTask : connections.Pictures.StoreAsync(imageKey, picture, operation.Options.Caller, operation.Token);

    /// <summary>
    /// Extends the expiry of the picture of a known result, so that it can be drawn. When Redis has no room for it, the caller still gets the result.
    /// </summary>
    private async Task KeepAsync(ClientOperation operation, string imageKey, ReadOnlyMemory<byte> picture, bool isThere)
    {
        try
        {
            if (!isThere)
            {
                await StoreAsync(operation, imageKey, picture);
            }

            // The silos' setting may keep it longer. Redis before 7.0 does not know the condition, and leaves the expiry unchanged.
            var when = isThere ? ExpireWhen.GreaterThanCurrentExpiry : ExpireWhen.Always;
            await connections.Pictures.KeepKnownAsync(imageKey, when);
        }
        catch (RedisServerException e)
        {
            logger.LogNotKept(imageKey, e.Message);
        }
    }

    private static bool IsModelGone(RequestSnapshot snapshot) => snapshot is { Status: RequestStatus.Failed, Failure.Reason: FailureReason.ModelGone };
}
