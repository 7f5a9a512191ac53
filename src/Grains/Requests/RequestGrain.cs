using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Grains.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;
using Orleans.Storage;

namespace Detection.Grains.Requests;

/// <summary>
/// One piece of work and everybody who waits for it. What it knows in memory is a copy: the queue's mark and the result in Redis
/// are the truth, so that another activation on another silo goes on where this one was lost.
/// </summary>
[GrainType("request"), PreferLocalPlacement]
internal sealed partial class RequestGrain(
    [FromKeyedServices(RequestGrain.Storage)] IGrainStorage storage,
    RequestQueue queue,
    ResultStore results,
    PictureStore pictures,
    Admission admission,
    WebhookIntake webhooks,
    IHostApplicationLifetime lifetime,
    IOptions<RequestOptions> options,
    ClusterClock time,
    ILogger<RequestGrain> logger) : Grain, IRequestGrain
{
    /// <summary>Name of the grain storage.</summary>
    public const string Storage = "requests";

    /// <summary>How soon a watcher looks again for an end that nobody told.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    private RequestKey _key;
    private KeptState _kept = null!;

    /// <summary>The work under way, completed with its end; <see langword="null"/> while none is known.</summary>
    private TaskCompletionSource<RequestSnapshot>? _work;

    /// <summary>Completed when the work leaves the queue; made with it.</summary>
    private TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RequestStatus _status = RequestStatus.Unknown;
    private int _position;
    private TimeSpan? _estimate;
    private DateTimeOffset _latestDeadline;
    private int _waiting;
    private bool _asynchronous;

    /// <summary>This activation put the work into the queue, so that nobody else can have kept anything about it.</summary>
    private bool _enqueued;

    /// <summary>The deadline of the work when this activation put it into the queue.</summary>
    private DateTimeOffset _queuedUntil;

    /// <summary>Callers whose picture is stored and of whom it is not known whether they are accepted.</summary>
    private int _bringing;

    /// <summary>Somebody is putting the work into the queue; <see langword="null"/> while nobody is.</summary>
    private PendingEnqueue? _pending;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = RequestKey.Parse(this.GetPrimaryKeyString());
        _kept = new KeptState(GrainContext, storage);
        return Task.CompletedTask;
    }

    public Task<RequestSnapshot> Ask(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken) =>
        terms.Webhook is { } webhook
            ? WithWebhookAsync(webhook, terms, brought: false, () => AskAsync(terms, maxWait, cancellationToken))
            : AskAsync(terms, maxWait, cancellationToken);

    public Task<RequestSnapshot> Submit(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken) =>
        terms.Webhook is { } webhook
            ? WithWebhookAsync(webhook, terms, brought: true, () => SubmitAsync(terms, maxWait, cancellationToken))
            : SubmitAsync(terms, maxWait, cancellationToken);

    private async Task<RequestSnapshot> AskAsync(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        try
        {
            await PendingAsync();
            if (await FindAsync() is { } known)
            {
                return known;
            }

            return _work is { } work
                ? await WaitAsync(work, terms, maxWait, joined: true, cancellationToken)
                : new RequestSnapshot(RequestStatus.Unknown);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return Unavailable(e);
        }
    }

    private async Task<RequestSnapshot> SubmitAsync(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        try
        {
            var (work, joined, end) = await JoinOrEnqueueAsync(terms);
            if (end is not null)
            {
                await LeavePictureAsync(end);
                return end;
            }

            // Nobody who waits needs to know: without its picture the work fails, and he brings it again.
            var kept = pictures.KeepAsync(_key, ended: work.Task.IsCompleted);
            if (terms.Asynchronous && !await kept)
            {
                return RequestFailures.PictureLost;
            }

            kept.Ignore();
            return await WaitAsync(work, terms, maxWait, joined, cancellationToken);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return Unavailable(e);
        }
    }

    public Task Started()
    {
        if (_work is not null)
        {
            _status = RequestStatus.Running;
            _running.TrySetResult();
        }

        return Task.CompletedTask;
    }

    public async Task<RequestSnapshot> Watch(RequestStatus? known, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            return await WatchAsync(known, maxWait, stop.Token);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            DeactivateOnIdle();
            return Snapshot(joined: true);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return Unavailable(e);
        }
    }

    public async Task Complete(RequestSnapshot outcome)
    {
        if (outcome.Status == RequestStatus.Expired && _waiting > 0 && _latestDeadline > time.GetUtcNow())
        {
            // The queue's deadline was that of an earlier caller; the ones that wait now submit again.
            outcome = new RequestSnapshot(RequestStatus.Unknown);
        }

        // Those who wait are told first.
        var synchronous = _enqueued && !_asynchronous;
        End(outcome);
        var hasWebhooks = !synchronous && outcome.IsFinal && (await _kept.ReadAsync()).Webhooks;
        if (outcome.Status is RequestStatus.Failed or RequestStatus.Expired)
        {
            if (outcome.Failure?.Reason == FailureReason.Poison || (!synchronous && (await _kept.ReadAsync()).Asynchronous))
            {
                await KeepEndAsync(outcome);
            }
        }
        else if (outcome.Status == RequestStatus.Done && !synchronous && (await _kept.ReadAsync()).Asynchronous)
        {
            // The result says it all, and when that has expired nothing is left to be told.
            await _kept.WriteAsync(static kept =>
            {
                kept.Asynchronous = false;
                kept.End = null;
                kept.Webhooks = false;
            });
        }

        if (hasWebhooks)
        {
            await webhooks.EndedAsync(_key);
        }
    }

    private Task KeepEndAsync(RequestSnapshot outcome) => _kept.WriteAsync(kept =>
    {
        kept.End = outcome;
        kept.EndedAt = time.GetUtcNow();
        kept.Webhooks = false;
    });

    /// <summary>
    /// A request whose end is to be told to a URL. It is taken on first and taken back when the request is not accepted, so that an
    /// accepted one is never without its webhook.
    /// </summary>
    private async Task<RequestSnapshot> WithWebhookAsync(WebhookTerms webhook, RequestTerms terms, bool brought, Func<Task<RequestSnapshot>> request)
    {
        WebhookIntakeResult taken;
        try
        {
            taken = await webhooks.RegisterAsync(_key, webhook, terms.Budget, terms.Caller);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return Unavailable(e);
        }

        if (taken.Refusal is { } refusal)
        {
            if (brought)
            {
                await LeavePictureAsync(refusal);
            }

            return refusal;
        }

        var snapshot = await request();
        switch (snapshot.Status)
        {
            case RequestStatus.Queued or RequestStatus.Running:
                break;
            case RequestStatus.Done:
                await webhooks.EndedAsync(_key);
                break;
            default:
                await webhooks.UnregisterAsync(taken);
                break;
        }

        return snapshot;
    }

    /// <summary>Where the request stands, the kept end of an asynchronous one included.</summary>
    private async Task<RequestSnapshot> LookAsync()
    {
        await PendingAsync();
        if (await FindAsync() is { } known)
        {
            return known;
        }

        if (_work is not null)
        {
            return Snapshot(joined: true);
        }

        var kept = await _kept.ReadAsync();
        if (kept.End is { } end && time.GetUtcNow() - kept.EndedAt < options.Value.FailureExpiry)
        {
            return end;
        }

        // Accepted, and its end is not known here: it is just being told, or was lost with its batcher.
        return !kept.Asynchronous || kept.End is not null ? new RequestSnapshot(RequestStatus.Unknown)
            : admission.IsGone(_key.Model) ? RequestFailures.ModelGone
            : time.GetUtcNow() < kept.Deadline ? new RequestSnapshot(RequestStatus.Running, Joined: true)
            : new RequestSnapshot(RequestStatus.Expired, Joined: true);
    }

    /// <summary>Looks until the request stands otherwise than <paramref name="known"/>, or has an end, or the time is over.</summary>
    private async Task<RequestSnapshot> WatchAsync(RequestStatus? known, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            while (true)
            {
                var snapshot = await LookAsync();
                var left = maxWait - time.GetElapsedTime(started);
                if (snapshot.Status is not (RequestStatus.Queued or RequestStatus.Running) || (known is { } old && snapshot.Status != old))
                {
                    return snapshot;
                }

                if (left <= TimeSpan.Zero)
                {
                    return await LookAgainAsync();
                }

                // An end that was told to another activation is found by looking again.
                var end = _work?.Task ?? Task.Delay(left < LookAgain ? left : LookAgain, time, cancellationToken);
                await Task.WhenAny(known is RequestStatus.Queued ? [end, _running.Task] : [end]).WaitAsync(left, time, cancellationToken);
            }
        }
        catch (TimeoutException e) when (!RedisConnection.IsOutage(e))
        {
            return await LookAgainAsync();
        }
    }

    /// <summary>As <see cref="LookAsync"/>, but sees for itself whether the work is still under way.</summary>
    private async Task<RequestSnapshot> LookAgainAsync()
    {
        if (_work is { } work)
        {
            await CheckAsync(work, joined: true);
        }

        return await LookAsync();
    }

    /// <summary>Keeps that somebody will come back, so that no end goes untold.</summary>
    private async Task KeepAsynchronousAsync(RequestTerms terms, DateTimeOffset deadline)
    {
        _asynchronous = true;
        var known = await _kept.ReadAsync();
        var hasWebhook = terms.Webhook is not null;
        if (!known.Asynchronous || known.End is not null || known.Deadline < deadline || (hasWebhook && !known.Webhooks))
        {
            await _kept.WriteAsync(kept =>
            {
                kept.Asynchronous = true;
                kept.Deadline = deadline;
                kept.End = null;
                kept.Webhooks |= hasWebhook;
            });
        }
    }

    /// <summary>The end of the work when it is known; otherwise finds out whether the work is under way.</summary>
    private async Task<RequestSnapshot?> FindAsync()
    {
        if (_work is not null)
        {
            return null;
        }

        var (result, underWay) = await ReadAsync();
        if (result is not null)
        {
            End(result);
            return result;
        }

        if (underWay)
        {
            _work ??= NewWork();
            _asynchronous |= await _kept.ReadAsync() is { Asynchronous: true, End: null };
        }

        return null;
    }

    /// <summary>What Redis says: the result, or whether the work waits or runs.</summary>
    private async Task<(RequestSnapshot? Result, bool UnderWay)> ReadAsync()
    {
        var result = results.FindOrDiscardAsync(_key);
        var underWay = queue.IsUnderWayAsync(_key);
        await Task.WhenAll(result, underWay);
        return (await result is { } found ? new RequestSnapshot(RequestStatus.Done, found, Joined: true) : null, await underWay);
    }

    /// <summary>Joins the work, or puts it into the queue. Gives its end when it is refused, or done already.</summary>
    private async Task<(TaskCompletionSource<RequestSnapshot> Work, bool Joined, RequestSnapshot? End)> JoinOrEnqueueAsync(RequestTerms terms)
    {
        _bringing++;
        try
        {
            while (_pending is { } pending)
            {
                if (await pending.Outcome is { } refused && pending.HoldsFor(terms, refused))
                {
                    return (null!, true, refused);
                }
            }

            if (_work is { } under)
            {
                return (under, true, null);
            }

            var work = _work = NewWork();
            return (work, false, await EnqueueAsync(work, terms));
        }
        finally
        {
            _bringing--;
        }
    }

    /// <summary>A request that brought its picture has ended at once: nothing of one that was refused stays.</summary>
    private async Task LeavePictureAsync(RequestSnapshot end)
    {
        try
        {
            if (end.Status == RequestStatus.Done)
            {
                await pictures.KeepAsync(_key, ended: true);
            }
            else if (_bringing == 0 && _work is null)
            {
                await pictures.RemoveUnacceptedAsync(_key.ImageKey);
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // It expires.
            LogUnavailable(_key.Item, e.Message);
        }
    }

    /// <summary>Waits until it is known what becomes of work that is being put into the queue.</summary>
    private async ValueTask PendingAsync()
    {
        while (_pending is { } pending)
        {
            await pending.Outcome;
        }
    }

    /// <summary>Puts the work into the queue. Gives its end when it is refused, or done already.</summary>
    private async Task<RequestSnapshot?> EnqueueAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms)
    {
        var pending = _pending = new PendingEnqueue(terms);
        RequestSnapshot? end = new(RequestStatus.Unknown);
        try
        {
            end = await TryEnqueueAsync(work, terms);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            end = Unavailable(e);
        }
        finally
        {
            if (end is not null && _work == work)
            {
                End(end);
            }

            _pending = null;
            pending.End(end);
        }

        return end;
    }

    private async Task<RequestSnapshot?> TryEnqueueAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms)
    {
        if (admission.Refusal(_key.Model) is { } refusal)
        {
            return refusal;
        }

        var now = time.GetUtcNow();
        var item = new QueuedItem(_key, now + terms.Budget, now, terms.TraceParent, Caller: terms.Caller);
        if (terms.Asynchronous)
        {
            await KeepAsynchronousAsync(terms, item.Deadline);
        }

        var limit = admission.Limit(_key.Model, terms.Budget);
        var (outcome, place, deadline) = await queue.EnqueueAsync(item, limit, terms.Asynchronous);
        var done = outcome == EnqueueOutcome.AlreadyDone ? await results.FindOrDiscardAsync(_key) : null;
        if (outcome == EnqueueOutcome.AlreadyDone && done is null)
        {
            // It has just expired, or could not be read and is removed by now.
            (outcome, place, deadline) = await queue.EnqueueAsync(item, limit, terms.Asynchronous);
            done = outcome == EnqueueOutcome.AlreadyDone ? await results.FindOrDiscardAsync(_key) : null;
        }

        RequestSnapshot? end = outcome switch
        {
            EnqueueOutcome.Full => admission.Refusal(_key.Model, RequestStatus.Busy, place),
            EnqueueOutcome.ShareUsed => admission.Refusal(_key.Model, RequestStatus.ShareUsed, place),
            EnqueueOutcome.TooLate => admission.Refusal(_key.Model, RequestStatus.TooLate, place),
            EnqueueOutcome.OwnTooLate => admission.Refusal(_key.Model, RequestStatus.OwnTooLate, place),
            EnqueueOutcome.Poison => RequestFailures.Poison,
            EnqueueOutcome.AlreadyDone when done is null => new(RequestStatus.Unknown),
            EnqueueOutcome.AlreadyDone => new(RequestStatus.Done, done, Joined: true),
            _ => null,
        };
        if (end is not null)
        {
            if (terms.Asynchronous)
            {
                await _kept.WriteAsync(static kept => kept.Asynchronous = false);
            }

            return end;
        }

        if (_work == work)
        {
            _enqueued = outcome == EnqueueOutcome.Queued;
            _queuedUntil = deadline;
            _status = outcome == EnqueueOutcome.Queued && _status != RequestStatus.Running ? RequestStatus.Queued : _status;
            _position = place;
            _estimate = admission.Wait(_key.Model, place);
        }

        return null;
    }

    /// <summary>Waits for the end of <paramref name="work"/>, which may have come while it was put into the queue.</summary>
    private async Task<RequestSnapshot> WaitAsync(
        TaskCompletionSource<RequestSnapshot> work, RequestTerms terms, TimeSpan maxWait, bool joined, CancellationToken cancellationToken)
    {
        var deadline = time.GetUtcNow() + terms.Budget;
        _latestDeadline = deadline > _latestDeadline ? deadline : _latestDeadline;
        if (terms.Asynchronous && joined && !await JoinAsynchronousAsync(work, terms, deadline))
        {
            return await CheckAsync(work, joined);
        }

        if (maxWait <= TimeSpan.Zero)
        {
            return work.Task.IsCompletedSuccessfully ? await work.Task : Snapshot(joined);
        }

        // A silo that stops lets its waiters go: they ask again and find the work through another silo.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        _waiting++;
        try
        {
            var wait = maxWait < terms.Budget ? maxWait : terms.Budget;
            var end = await work.Task.WaitAsync(wait, time, stop.Token);
            return end with { Joined = joined };
        }
        catch (TimeoutException)
        {
            return await CheckUnlessAwayAsync(work, joined);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            DeactivateOnIdle();
            return Snapshot(joined);
        }
        catch (OperationCanceledException)
        {
            if (_waiting == 1)
            {
                await WithdrawAsync(work);
            }

            throw;
        }
        finally
        {
            _waiting--;
        }
    }

    /// <summary>
    /// Keeps that one who joined comes back, and lets the work go on until his deadline. <see langword="false"/> when it has ended, or
    /// was withdrawn, before he joined.
    /// </summary>
    private async Task<bool> JoinAsynchronousAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms, DateTimeOffset deadline)
    {
        await KeepAsynchronousAsync(terms, deadline);
        pictures.KeepAsync(_key, ended: work.Task.IsCompleted).Ignore();
        var isThere = await queue.ExtendAsync(_key, terms.Budget);
        if (work.Task.IsCompletedSuccessfully && await work.Task is { Status: RequestStatus.Failed } failed)
        {
            // It may have ended before it was kept that somebody wants to know.
            await KeepEndAsync(failed);
        }

        return isThere;
    }

    /// <summary>
    /// As <see cref="CheckAsync"/>. While Redis is away, accepted work is taken to be under way: its caller waits on, until its deadline,
    /// instead of being refused for a failover of Redis.
    /// </summary>
    private async Task<RequestSnapshot> CheckUnlessAwayAsync(TaskCompletionSource<RequestSnapshot> work, bool joined)
    {
        try
        {
            return await CheckAsync(work, joined);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) && _work == work)
        {
            LogUnavailable(_key.Item, e.Message);
            return Snapshot(joined);
        }
    }

    /// <summary>After a wait without an end: the message that it ended may have been lost with a silo.</summary>
    private async Task<RequestSnapshot> CheckAsync(TaskCompletionSource<RequestSnapshot> work, bool joined)
    {
        var (result, underWay) = await ReadAsync();
        if (work.Task.IsCompletedSuccessfully)
        {
            return await work.Task with { Joined = joined };
        }

        RequestSnapshot? refusal = null;
        if (result is null && underWay)
        {
            // Those who wait while the last device breaks are told as those are who come later.
            if (admission.Refusal(_key.Model) is not { Status: RequestStatus.DevicesBroken } broken || !await TakeOutAsync(work))
            {
                return Snapshot(joined);
            }

            refusal = broken;
        }

        var end = result ?? refusal ?? new RequestSnapshot(RequestStatus.Unknown);
        if (_work == work)
        {
            End(end);
        }

        return end with { Joined = joined };
    }

    /// <summary>Nobody waits any more: frees the place in the queue, unless a batcher has the work already.</summary>
    private async Task WithdrawAsync(TaskCompletionSource<RequestSnapshot> work)
    {
        try
        {
            if (await TakeOutAsync(work) && _work == work)
            {
                LogWithdrawn(_key.Item);
                End(new RequestSnapshot(RequestStatus.Unknown));
            }
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            // It runs or expires like any other.
            LogUnavailable(_key.Item, e.Message);
        }
    }

    /// <summary>Takes the work out of the queue, unless it is on a device, or somebody else's as well who comes back for the answer.</summary>
    private async Task<bool> TakeOutAsync(TaskCompletionSource<RequestSnapshot> work) =>
        _enqueued && !_asynchronous && _work == work && await queue.WithdrawAsync(_key, _queuedUntil);

    private void End(RequestSnapshot outcome)
    {
        var work = _work;
        _work = null;
        _status = RequestStatus.Unknown;
        _position = 0;
        _asynchronous = false;
        _enqueued = false;
        _running.TrySetResult();
        work?.TrySetResult(outcome);
        pictures.ReleaseAsync(_key).Ignore();
    }

    private RequestSnapshot Snapshot(bool joined) => new(
        _work is null ? RequestStatus.Unknown : _status == RequestStatus.Running ? RequestStatus.Running : RequestStatus.Queued,
        Position: _position,
        EstimatedWait: _estimate,
        Joined: joined);

    private RequestSnapshot Unavailable(Exception e)
    {
        LogUnavailable(_key.Item, e.Message);
        return RequestFailures.Refused(e);
    }

    /// <summary>Whether Redis says no, itself or through the grain storage.</summary>
    private static bool IsRefusal(Exception e) => RedisConnection.IsOutage(e) || RedisConnection.IsFull(e);

    private TaskCompletionSource<RequestSnapshot> NewWork()
    {
        _running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new TaskCompletionSource<RequestSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(1, LogLevel.Debug, "{Item}: withdrawn, nobody waits for it any more")]
    private partial void LogWithdrawn(string item);

    [LoggerMessage(2, LogLevel.Warning, "{Item}: Redis cannot be reached, or answers with an error: {Reason}")]
    private partial void LogUnavailable(string item, string reason);
}
