using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Grains.Results;
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
[PreferLocalPlacement]
internal sealed partial class RequestGrain(
    [PersistentState("request", RequestGrain.Storage)] IPersistentState<RequestState> state,
    RequestQueue queue,
    ResultCache results,
    Admission admission,
    IHostApplicationLifetime lifetime,
    IOptions<RequestOptions> options,
    TimeProvider time,
    ILogger<RequestGrain> logger) : Grain, IRequestGrain
{
    /// <summary>Name of the grain storage.</summary>
    public const string Storage = "requests";

    /// <summary>
    /// How long the answer that nothing is known holds. Should another activation have had the work done meanwhile, it is done again.
    /// </summary>
    private static readonly TimeSpan UnknownHolds = TimeSpan.FromSeconds(1);

    /// <summary>How soon a watcher looks again for an end that nobody told.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    private RequestKey _key;

    /// <summary>When Redis last knew nothing of the work; 0 for never, and once a submission has relied on it.</summary>
    private long _unknownAt;

    /// <summary>The work under way, completed with its end; <see langword="null"/> while none is known.</summary>
    private TaskCompletionSource<RequestSnapshot>? _work;

    /// <summary>Completed when the work leaves the queue; made with it.</summary>
    private TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The last write of the state: one after the other, since calls interleave.</summary>
    private Task _writing = Task.CompletedTask;

    /// <summary>The result, once known.</summary>
    private RequestSnapshot? _done;
    private RequestStatus _status = RequestStatus.Unknown;
    private int _position;
    private TimeSpan? _estimate;
    private DateTimeOffset _latestDeadline;
    private int _waiting;
    private bool _asynchronous;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = RequestKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<RequestSnapshot> Ask(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        try
        {
            if (await FindAsync() is { } known)
            {
                return known;
            }

            if (_work is not { } work)
            {
                _unknownAt = time.GetTimestamp();
                return new RequestSnapshot(RequestStatus.Unknown);
            }

            return await WaitAsync(work, terms, maxWait, joined: true, cancellationToken);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            return Unavailable(e);
        }
    }

    public async Task<RequestSnapshot> Submit(RequestTerms terms, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        try
        {
            if (!WasUnknown() && await FindAsync() is { } known)
            {
                return known;
            }

            var joined = _work is not null;
            var work = _work ??= NewWork();
            if (!joined && await EnqueueAsync(work, terms) is { } refused)
            {
                return refused;
            }

            return await WaitAsync(work, terms, maxWait, joined, cancellationToken);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
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
                var end = _work?.Task ?? Task.Delay(left < LookAgain ? left : LookAgain, time, stop.Token);
                await Task.WhenAny(known is RequestStatus.Queued ? [end, _running.Task] : [end]).WaitAsync(left, time, stop.Token);
            }
        }
        catch (TimeoutException e) when (!RedisConnection.IsOutage(e))
        {
            return await LookAgainAsync();
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            DeactivateOnIdle();
            return Snapshot(joined: true);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
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

        var asynchronous = _asynchronous || state.State.Asynchronous;
        End(outcome);
        if (outcome.Status is RequestStatus.Failed or RequestStatus.Expired
            && (asynchronous || outcome.Failure?.Reason == FailureReason.Poison))
        {
            await KeepAsync(kept =>
            {
                kept.End = outcome;
                kept.EndedAt = time.GetUtcNow();
            });
        }
        else if (outcome.Status == RequestStatus.Done && state.State.Asynchronous)
        {
            // The result says it all, and when that has expired nothing is left to be told.
            await KeepAsync(static kept =>
            {
                kept.Asynchronous = false;
                kept.End = null;
            });
        }
    }

    /// <summary>Where the request stands, the kept end of an asynchronous one included.</summary>
    private async Task<RequestSnapshot> LookAsync()
    {
        if (await FindAsync() is { } known)
        {
            return known;
        }

        if (_work is not null)
        {
            return Snapshot(joined: true);
        }

        if (state.State.End is { } end && time.GetUtcNow() - state.State.EndedAt < options.Value.FailureExpiry)
        {
            return end;
        }

        // Accepted, and its end is not known here: it is just being told, or was lost with its batcher.
        return !state.State.Asynchronous || state.State.End is not null ? new RequestSnapshot(RequestStatus.Unknown)
            : time.GetUtcNow() < state.State.Deadline ? new RequestSnapshot(RequestStatus.Running, Joined: true)
            : new RequestSnapshot(RequestStatus.Expired, Joined: true);
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

    /// <summary>Keeps something of the request beyond this activation.</summary>
    private Task KeepAsync(Action<RequestState> change) => _writing = WriteAfterAsync(_writing, change);

    private async Task WriteAfterAsync(Task before, Action<RequestState> change)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        change(state.State);
        try
        {
            await state.WriteStateAsync();
        }
        catch (InconsistentStateException)
        {
            // What was read has expired meanwhile, or another activation wrote.
            await state.ReadStateAsync();
            change(state.State);
            await state.WriteStateAsync();
        }
    }

    /// <summary>Keeps that somebody will come back, so that no end goes untold.</summary>
    private async Task KeepAsynchronousAsync(DateTimeOffset deadline)
    {
        _asynchronous = true;
        if (!state.State.Asynchronous || state.State.End is not null || state.State.Deadline < deadline)
        {
            await KeepAsync(kept =>
            {
                kept.Asynchronous = true;
                kept.Deadline = deadline;
                kept.End = null;
            });
        }
    }

    /// <summary>
    /// Whether the caller was told a moment ago that nothing is known: it has stored the picture and submits, and Redis need not be
    /// asked again.
    /// </summary>
    private bool WasUnknown()
    {
        var unknown = _unknownAt != 0 && _work is null && _done is null && time.GetElapsedTime(_unknownAt) < UnknownHolds;
        _unknownAt = 0;
        return unknown;
    }

    /// <summary>The end of the work when it is known; otherwise finds out whether the work is under way.</summary>
    private async Task<RequestSnapshot?> FindAsync()
    {
        if (_done is not null)
        {
            return _done;
        }

        if (_work is not null)
        {
            return null;
        }

        var result = results.FindAsync(_key);
        var underWay = queue.ContainsAsync(_key);
        await Task.WhenAll(result, underWay);
        if (await result is { } found)
        {
            End(new RequestSnapshot(RequestStatus.Done, found, Joined: true));
            return _done;
        }

        if (await underWay)
        {
            _work ??= NewWork();
            _asynchronous |= state.State is { Asynchronous: true, End: null };
            return null;
        }

        return state.State.End is { Failure.Reason: FailureReason.Poison } poison
            && time.GetUtcNow() - state.State.EndedAt < options.Value.FailureExpiry
            ? poison
            : null;
    }

    /// <summary>Puts the work into the queue. Gives the refusal when that cannot be.</summary>
    private async Task<RequestSnapshot?> EnqueueAsync(TaskCompletionSource<RequestSnapshot> work, RequestTerms terms)
    {
        var now = time.GetUtcNow();
        var item = new QueuedItem(_key, now + terms.Budget, now, terms.TraceParent, Caller: terms.Caller);
        EnqueueOutcome outcome;
        int place;
        try
        {
            if (terms.Asynchronous)
            {
                await KeepAsynchronousAsync(item.Deadline);
            }

            (outcome, place) = await queue.EnqueueAsync(item, admission.Limit(_key.Model, terms.Budget));
        }
        catch (Exception e) when (RedisConnection.IsOutage(e) || e is OrleansException)
        {
            // Whoever joined meanwhile submits again and gets the same answer as this caller.
            End(new RequestSnapshot(RequestStatus.Unknown));
            throw;
        }

        if (outcome is EnqueueOutcome.Full or EnqueueOutcome.ShareUsed)
        {
            var refused = new RequestSnapshot(
                outcome == EnqueueOutcome.Full ? RequestStatus.Busy : RequestStatus.ShareUsed,
                RetryAfter: admission.RetryAfter(_key.Model, place));
            End(refused);
            if (terms.Asynchronous)
            {
                await KeepAsync(static kept => kept.Asynchronous = false);
            }

            return refused;
        }

        if (_work == work)
        {
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
        if (terms.Asynchronous && joined)
        {
            await KeepAsynchronousAsync(deadline);
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
            return await CheckAsync(work, joined);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            DeactivateOnIdle();
            return Snapshot(joined);
        }
        catch (OperationCanceledException)
        {
            if (_waiting == 1 && !_asynchronous && _work == work)
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

    /// <summary>After a wait without an end: the message that it ended may have been lost with a silo.</summary>
    private async Task<RequestSnapshot> CheckAsync(TaskCompletionSource<RequestSnapshot> work, bool joined)
    {
        if (_work != work)
        {
            return Snapshot(joined);
        }

        _work = null;
        var end = await FindAsync();
        if (end is null && _work is not null)
        {
            // Still under way: those who wait on the old task go on waiting.
            _work = work;
            return Snapshot(joined);
        }

        var snapshot = end ?? new RequestSnapshot(RequestStatus.Unknown);
        work.TrySetResult(snapshot);
        return snapshot with { Joined = joined };
    }

    /// <summary>Nobody waits any more: frees the place in the queue, unless a batcher has the work already.</summary>
    private async Task WithdrawAsync(TaskCompletionSource<RequestSnapshot> work)
    {
        try
        {
            if (await queue.WithdrawAsync(_key) && _work == work)
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

    private void End(RequestSnapshot outcome)
    {
        var work = _work;
        _work = null;
        _status = RequestStatus.Unknown;
        _position = 0;
        _asynchronous = false;
        _running.TrySetResult();
        _done = outcome.Status == RequestStatus.Done ? outcome with { Joined = true } : null;
        work?.TrySetResult(outcome);
    }

    private RequestSnapshot Snapshot(bool joined) =>
        _done is { } done ? done with { Joined = joined } : new RequestSnapshot(
            _work is null ? RequestStatus.Unknown : _status == RequestStatus.Running ? RequestStatus.Running : RequestStatus.Queued,
            Position: _position,
            EstimatedWait: _estimate,
            Joined: joined);

    private RequestSnapshot Unavailable(Exception e)
    {
        LogUnavailable(_key.Item, e.Message);
        return new RequestSnapshot(RequestStatus.Unavailable, RetryAfter: TimeSpan.FromSeconds(1));
    }

    private TaskCompletionSource<RequestSnapshot> NewWork()
    {
        _running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new TaskCompletionSource<RequestSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(LogLevel.Debug, "{Item}: withdrawn, nobody waits for it any more")]
    private partial void LogWithdrawn(string item);

    [LoggerMessage(LogLevel.Warning, "{Item}: Redis cannot be reached: {Reason}")]
    private partial void LogUnavailable(string item, string reason);
}
