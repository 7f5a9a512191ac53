using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Grains.Webhooks;
using Detection.Objects;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace Detection.Grains.Requests;

/// <summary>
/// One request and all callers that wait for it. Its memory is a copy: the mark and the result in Redis are authoritative, so another activation on
/// another silo can continue when this one is lost.
/// </summary>
[GrainType("request"), PreferLocalPlacement]
internal sealed class RequestGrain(
    RequestStores stores,
    Admission admission,
    WebhookIntake intake,
    IHostApplicationLifetime lifetime,
    IOptions<RequestOptions> options,
    ClusterClock time,
    ILogger<RequestGrain> logger) : Grain, IRequestGrain
{
    /// <summary>Name of the grain storage.</summary>
    public const string Storage = "requests";

    /// <summary>How soon a watcher checks again for an outcome that was not reported to this activation.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    private RequestKey _key;
    private KeptState _kept = null!;
    private WorkUnderWay _work = null!;
    private RequestChecks _checks = null!;
    private Enqueueing _enqueueing = null!;
    private RequestWebhooks _webhooks = null!;
    private LostPicture _lost = null!;
    private bool _fetchesAgain;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = RequestKey.Parse(this.GetPrimaryKeyString());
        _kept = new KeptState(GrainContext, stores.State, time);
        _work = new WorkUnderWay(_key, stores.Pictures);
        _checks = new RequestChecks(_key, _work, _kept, stores, admission, logger);
        _enqueueing = new Enqueueing(_key, _work, _kept, stores, admission, time, logger);
        _lost = new LostPicture(_key, GrainFactory, time);
        _webhooks = new RequestWebhooks(_key, intake, _enqueueing, logger);
        return Task.CompletedTask;
    }

    public Task<RequestSnapshot> Ask(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken) =>
        terms.Webhook is { } webhook
            ? _webhooks.WithAsync(webhook, terms, brought: false, () => AskAsync(terms, maxWait, cancellationToken))
            : AskAsync(terms, maxWait, cancellationToken);

    public Task<RequestSnapshot> Submit(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken) =>
        terms.Webhook is { } webhook
            ? _webhooks.WithAsync(webhook, terms, brought: true, () => SubmitAsync(terms, maxWait, cancellationToken))
            : SubmitAsync(terms, maxWait, cancellationToken);

    private async Task<RequestSnapshot> AskAsync(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        try
        {
            await _enqueueing.PendingAsync();
            if (await _checks.FindAsync() is { } known)
            {
                return known;
            }

            return _work.Current is { } work
                ? await WaitAsync(work, terms, maxWait, joined: true, cancellationToken)
                : new RequestSnapshot(RequestStatus.Unknown);
        }
        catch (Exception e) when (RequestFailures.IsRefusal(e))
        {
            return logger.Refused(_key, e);
        }
    }

    private async Task<RequestSnapshot> SubmitAsync(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        try
        {
            var (work, joined, end) = await _enqueueing.JoinOrEnqueueAsync(terms);
            if (end is not null)
            {
                // The picture that was fetched again waits for a place in the queue.
                if (!_fetchesAgain || end.Status == RequestStatus.Done)
                {
                    await _enqueueing.LeavePictureAsync(end);
                }

                return end;
            }

            // A caller that waits does not need to wait for this: without its picture the work fails, and the client sends the picture again.
            var kept = stores.Pictures.KeepAsync(_key, ended: work.Task.IsCompleted);
            if (terms.Asynchronous && !joined && !await kept)
            {
                return RequestFailures.PictureLost;
            }

            kept.Ignore();
            return await WaitAsync(work, terms, maxWait, joined, cancellationToken);
        }
        catch (Exception e) when (RequestFailures.IsRefusal(e))
        {
            return logger.Refused(_key, e);
        }
    }

    public Task Started()
    {
        _work.Started();
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
            return _work.Snapshot(joined: true);
        }
        catch (Exception e) when (RequestFailures.IsRefusal(e))
        {
            return logger.Refused(_key, e);
        }
    }

    public async Task Complete(RequestSnapshot outcome)
    {
        if (outcome.Status == RequestStatus.Expired && _work.Waiting > 0 && _work.LatestDeadline > time.GetUtcNow())
        {
            // The expired deadline was that of an earlier caller; the callers that wait now submit again.
            outcome = new RequestSnapshot(RequestStatus.Unknown);
        }

        // First complete the calls that wait.
        var synchronous = _work.IsEnqueued && !_work.IsAsynchronous;
        _work.End(outcome);
        if (!synchronous && outcome.Failure?.Reason == FailureReason.PictureLost)
        {
            if (await FetchAgainAsync(outcome) is not { } end)
            {
                return;
            }

            outcome = end;
        }

        var hasWebhooks = !synchronous && outcome.IsFinal && (await _kept.ReadAsync()).Webhooks;
        if (outcome.Status is RequestStatus.Failed or RequestStatus.Expired)
        {
            if (outcome.Failure?.Reason == FailureReason.Poison || (!synchronous && (await _kept.ReadAsync()).Asynchronous))
            {
                await _kept.KeepEndAsync(outcome);
            }
        }
        else if (outcome.Status == RequestStatus.Done && !synchronous && (await _kept.ReadAsync()).Asynchronous)
        {
            await _kept.ForgetAsync();
        }

        if (hasWebhooks)
        {
            await _webhooks.EndedAsync();
        }
    }

    /// <summary>
    /// Fetches the lost picture of an asynchronous request again from its URL, and puts the request back into the queue.
    /// </summary>
    /// <returns><see langword="null"/> when it is in the queue again, else how the request ended.</returns>
    private async Task<RequestSnapshot?> FetchAgainAsync(RequestSnapshot lost)
    {
        var kept = await _kept.ReadAsync();
        if (kept is not { Asynchronous: true, End: null, Source: { } url })
        {
            return lost;
        }

        if (_fetchesAgain)
        {
            return null;
        }

        _fetchesAgain = true;
        try
        {
            return await FetchAgainAsync(url, kept);
        }
        finally
        {
            _fetchesAgain = false;
        }
    }

    private async Task<RequestSnapshot?> FetchAgainAsync(Uri url, RequestState kept)
    {
        if (!kept.FetchesAgain)
        {
            // The state in memory is enough unless the silo is lost, so a Redis without memory is no reason to give up.
            await ((Task)_kept.WriteAsync(static state => state.FetchesAgain = true))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        var terms = () => new RequestTerms(kept.Deadline - time.GetUtcNow(), Asynchronous: true, Caller: kept.SourceCaller, Source: url);
        if (await _lost.FetchAgainAsync(
            url, kept.SourceCaller, kept.Deadline, () => SubmitAsync(terms(), TimeSpan.Zero, CancellationToken.None), lifetime.ApplicationStopping) is { } end)
        {
            if (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                // The next look at the request, which activates it on another silo, continues.
                DeactivateOnIdle();
                return null;
            }

            logger.LogNotFetchedAgain(_key.Item, end.Failure!.Message);
            return end;
        }

        await _kept.WriteAsync(static state => state.FetchesAgain = false);
        return null;
    }

    /// <summary>The current state of the request, including the stored outcome of an asynchronous one.</summary>
    private async Task<RequestSnapshot> LookAsync()
    {
        await _enqueueing.PendingAsync();
        if (await _checks.FindAsync() is { } known)
        {
            return known;
        }

        if (_work.Current is not null)
        {
            return _work.Snapshot(joined: true);
        }

        var kept = await _kept.ReadAsync();
        if (kept.End is { } end && time.GetUtcNow() - kept.EndedAt < options.Value.FailureExpiry)
        {
            return end;
        }

        if (kept is { FetchesAgain: true, End: null } && !_fetchesAgain && time.GetUtcNow() < kept.Deadline)
        {
            // The silo that fetched its picture again is lost.
            Complete(RequestFailures.PictureLost).Ignore();
        }

        // Accepted, and no outcome is known: the call with the outcome is under way, or was lost with its silo.
        return !kept.Asynchronous || kept.End is not null ? new RequestSnapshot(RequestStatus.Unknown)
            : admission.IsGone(_key.Model) ? RequestFailures.ModelGone
            : time.GetUtcNow() < kept.Deadline ? new RequestSnapshot(RequestStatus.Running, Joined: true)
            : new RequestSnapshot(RequestStatus.Expired, Joined: true);
    }

    /// <summary>Checks until the request has another status than <paramref name="known"/> or a final one, or the time is over.</summary>
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

                // The outcome may have been reported to another activation: check again.
                var end = _work.Current?.Task ?? Task.Delay(left < LookAgain ? left : LookAgain, time, cancellationToken);
                await Task.WhenAny(known is RequestStatus.Queued ? [end, _work.Running] : [end]).WaitAsync(left, time, cancellationToken);
            }
        }
        catch (TimeoutException e) when (!RedisConnection.IsOutage(e))
        {
            return await LookAgainAsync();
        }
    }

    /// <summary>As <see cref="LookAsync"/>, but checks in Redis whether the work is still under way.</summary>
    private async Task<RequestSnapshot> LookAgainAsync()
    {
        if (_work.Current is { } work)
        {
            await _checks.CheckAsync(work, joined: true);
        }

        return await LookAsync();
    }

    /// <summary>Waits for the end of <paramref name="work"/>, which may already have ended while it was put into the queue.</summary>
    private async Task<RequestSnapshot> WaitAsync(
        TaskCompletionSource<RequestSnapshot> work, RequestTerms terms, TimeSpan maxWait, bool joined, CancellationToken cancellationToken)
    {
        var deadline = time.GetUtcNow() + terms.Budget;
        _work.LatestDeadline = deadline > _work.LatestDeadline ? deadline : _work.LatestDeadline;
        if (terms.Asynchronous && joined && await JoinAsynchronousAsync(work, terms, deadline) is { } refused)
        {
            return refused;
        }

        if (maxWait <= TimeSpan.Zero)
        {
            return work.Task.IsCompletedSuccessfully ? await work.Task : _work.Snapshot(joined);
        }

        // A stopping silo ends the waits: the clients ask again and find the work through another silo.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        _work.Waiting++;
        try
        {
            var wait = maxWait < terms.Budget ? maxWait : terms.Budget;
            var end = await work.Task.WaitAsync(wait, time, stop.Token);
            return end with { Joined = joined };
        }
        catch (TimeoutException)
        {
            return await _checks.CheckUnlessAwayAsync(work, joined);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            DeactivateOnIdle();
            return _work.Snapshot(joined);
        }
        catch (OperationCanceledException)
        {
            if (_work.Waiting == 1)
            {
                await _checks.WithdrawAsync(work);
            }

            throw;
        }
        finally
        {
            _work.Waiting--;
        }
    }

    /// <summary>
    /// Accepts an asynchronous caller that joined: extends the work to its deadline. Returns another answer when the work ended or was withdrawn
    /// before the caller joined, or when the picture is gone: then the client sends it again.
    /// </summary>
    private async Task<RequestSnapshot?> JoinAsynchronousAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms, DateTimeOffset deadline)
    {
        _work.IsAsynchronous = true;
        await _kept.KeepAsynchronousAsync(terms, deadline);
        var isKept = await stores.Pictures.KeepAsync(_key, ended: work.Task.IsCompleted);
        var isThere = await stores.Queue.ExtendAsync(_key, terms.Budget);
        if (work.Task.IsCompletedSuccessfully && await work.Task is { Status: RequestStatus.Failed } failed)
        {
            // The work may have ended before the state recorded that a caller will ask for the outcome.
            await _kept.KeepEndAsync(failed);
        }

        return !isThere ? await _checks.CheckAsync(work, joined: true)
            : isKept || work.Task.IsCompleted ? null
            : RequestFailures.PictureLost;
    }
}
