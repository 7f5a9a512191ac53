using System.Buffers;
using System.Diagnostics;
using Detection.Contracts.Cluster;
using Detection.Contracts.Fetching;
using Detection.Contracts.Models;
using Detection.Contracts.Pictures;
using Detection.Contracts.Requests;
using Detection.Contracts.Results;
using Detection.Contracts.Security;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using StackExchange.Redis;

namespace Detection.Client;

/// <summary>
/// Asks the cluster. Everything it does may be repeated, so that it mends the failures of single machines by asking again, until
/// the deadline.
/// </summary>
internal sealed partial class DetectionClient : IDetectionClient, IAsyncDisposable
{
    /// <summary>A wait is short, because a call to a silo that died is not answered until it times out.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan CallGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FetchRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettingRetry = TimeSpan.FromSeconds(5);

    private readonly DetectionClientOptions _options;
    private readonly ImageKeys _keys;
    private readonly ImageKeyComparison _keyComparison;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ClusterConnection _cluster;
    private readonly ServiceProvider _serialization;
    private readonly Serializer<DetectionResult> _serializer;
    private readonly RedisConnections _redis;
    private readonly PictureStore _pictures;
    private readonly bool _ownsRedis;
    private readonly RedisKeys _redisKeys;
    private ModelCatalog? _catalog;

    /// <param name="options">Settings.</param>
    /// <param name="transfer">How pictures travel.</param>
    /// <param name="keys">Makes image keys.</param>
    /// <param name="security">What connections to silos must show.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">For its messages.</param>
    /// <param name="silo">The silo of this process where it is one of the cluster.</param>
    /// <param name="redis">The connections of that silo.</param>
    public DetectionClient(
        IOptions<DetectionClientOptions> options,
        IOptions<PictureTransferOptions> transfer,
        ImageKeys keys,
        ClusterSecurity security,
        TimeProvider time,
        ILoggerFactory loggers,
        IClusterClient? silo = null,
        RedisConnections? redis = null)
    {
        _options = options.Value;
        _keys = keys;
        _time = time;
        _logger = loggers.CreateLogger<DetectionClient>();
        _redisKeys = new RedisKeys(_options.ClusterId);
        _keyComparison = new ImageKeyComparison(keys.MarkOf(_options.ClusterId), _options.ClusterId, loggers.CreateLogger<ImageKeyComparison>());
        _redis = redis ?? new RedisConnections(_options.Redis, _options.PictureMemory);
        _ownsRedis = redis is null;
        _pictures = new PictureStore(_redis, _redisKeys, transfer, time);
        _cluster = new ClusterConnection(_options, _redisKeys, _redis, security, loggers, silo);
        _serialization = new ServiceCollection().AddSerializer().BuildServiceProvider();
        _serializer = _serialization.GetRequiredService<Serializer<DetectionResult>>();
    }

    public async Task<DetectionAnswer> DetectAsync(ReadOnlyMemory<byte> picture, DetectionOptions? options, CancellationToken cancellationToken)
    {
        var imageKey = KeyOf(picture, options?.Caller);
        return await WithinDeadlineAsync(options, imageKey, async attempt => (await DetectAsync(attempt, imageKey, picture))!, cancellationToken, counts: true);
    }

    public async Task<DetectionAnswer> DetectAsync(Stream picture, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var buffer = PictureBuffers.Rent(
            picture.CanSeek ? (int)Math.Clamp(picture.Length - picture.Position, 1, _options.MaxPictureBytes + 1L) : 128 * 1024);
        var length = 0;
        int read;
        while ((read = await picture.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0)
        {
            length += read;
            if (length > _options.MaxPictureBytes)
            {
                throw TooLarge();
            }

            if (length == buffer.Length)
            {
                var larger = PictureBuffers.Rent(2 * length);
                buffer.AsSpan(0, length).CopyTo(larger);
                PictureBuffers.Return(buffer);
                buffer = larger;
            }
        }

        var answer = await DetectAsync(buffer.AsMemory(0, length), options, cancellationToken);

        // Not in a finally: after a failure the Redis client may still be sending from the buffer.
        PictureBuffers.Return(buffer);
        return answer;
    }

    public Task<DetectionAnswer> DetectAsync(Uri url, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(url);
        return WithinDeadlineAsync(
            options,
            null,
            attempt => WithFetchedAsync(attempt, url, imageKey => DetectAsync(attempt, imageKey, default)),
            cancellationToken,
            counts: true);
    }

    public Task<DetectionTicket> SubmitAsync(
        ReadOnlyMemory<byte> picture, DetectionOptions? options, Uri? webhook, CancellationToken cancellationToken)
    {
        var imageKey = KeyOf(picture, options?.Caller);
        return WithinDeadlineAsync(
            Submission(options), imageKey, async attempt => (await SubmitAsync(attempt, imageKey, picture, webhook))!, cancellationToken, counts: true);
    }

    public Task<DetectionTicket> SubmitAsync(Uri url, DetectionOptions? options, Uri? webhook, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(url);
        return WithinDeadlineAsync(
            Submission(options),
            null,
            attempt => WithFetchedAsync(attempt, url, imageKey => SubmitAsync(attempt, imageKey, default, webhook)),
            cancellationToken,
            counts: true);
    }

    public Task<DetectionTicket> GetStatusAsync(
        string imageKey, TimeSpan wait, DetectionStatus? known, DetectionOptions? options, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wait, DetectionOptions.MaxDeadline);

        // The deadline is for asking; the wait comes on top of it.
        var asking = options?.Deadline ?? _options.Deadline;
        var limit = asking + wait < DetectionOptions.MaxDeadline ? asking + wait : DetectionOptions.MaxDeadline;
        return WithinDeadlineAsync(
            (options ?? new DetectionOptions()) with { Deadline = limit },
            imageKey,
            async attempt => await MayReadAsync(attempt, imageKey)
                ? await WatchAsync(attempt, imageKey, wait, known)
                : new DetectionTicket(imageKey, DetectionStatus.Unknown),
            cancellationToken);
    }

    public Task<DetectionAnswer?> FindAsync(string imageKey, DetectionOptions? options, CancellationToken cancellationToken) =>
        WithinDeadlineAsync<DetectionAnswer?>(
            options,
            imageKey,
            async attempt =>
            {
                if (!await MayReadAsync(attempt, imageKey))
                {
                    return null;
                }

                var model = await FindModelAsync(attempt, wait: false);
                return await FindResultAsync(new RequestKey(model.Id, imageKey, attempt.Options.Iou)) is { } result
                    ? Answer(attempt, imageKey, model, result, AnswerSource.Cached)
                    : null;
            },
            cancellationToken);

    public Task<IMemoryOwner<byte>?> FindPictureAsync(string imageKey, DetectionOptions? options, CancellationToken cancellationToken) =>
        WithinDeadlineAsync<IMemoryOwner<byte>?>(
            options,
            imageKey,
            async attempt => await MayReadAsync(attempt, imageKey) ? await ReadPictureAsync(imageKey, options?.Caller, attempt.Token) : null,
            cancellationToken);

    public async Task<IReadOnlyList<ModelInfo>> GetModelsAsync(CancellationToken cancellationToken)
    {
        var models = new SortedDictionary<string, ModelInfo>(StringComparer.Ordinal);
        foreach (var silo in await GetSilosAsync(cancellationToken))
        {
            foreach (var model in silo.CurrentModels.Reverse())
            {
                models[model.Name] = model;
            }
        }

        return [.. models.Values];
    }

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await _cluster.ReachAsync(cancellationToken);
        await WithinDeadlineAsync(
            null,
            null,
            async attempt =>
            {
                await RequireSameImageKeysAsync(attempt);
                return true;
            },
            cancellationToken);
    }

    public Task<IReadOnlyList<SiloReport>> GetSilosAsync(CancellationToken cancellationToken) =>
        WithinDeadlineAsync(null, null, async _ => await (await CatalogAsync()).ReadSilosAsync(), cancellationToken);

    public Task<IReadOnlyList<SiloHistory>> GetHistoriesAsync(CancellationToken cancellationToken) =>
        WithinDeadlineAsync(null, null, async _ => await (await CatalogAsync()).ReadHistoriesAsync(), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        if (_ownsRedis)
        {
            await _redis.DisposeAsync();
        }

        await _serialization.DisposeAsync();
    }

    /// <summary>
    /// The heart: finds or has computed the result of one picture. <see langword="null"/> when the cluster needs the picture and it is
    /// not at hand, because it came from a URL.
    /// </summary>
    private async Task<DetectionAnswer?> DetectAsync(Attempt attempt, string imageKey, ReadOnlyMemory<byte> picture)
    {
        attempt.ImageKey = imageKey;
        var model = await FindModelAsync(attempt, wait: true);
        var key = new RequestKey(model.Id, imageKey, attempt.Options.Iou);
        var (cached, stored) = await FindOrStoreAsync(attempt, key, picture);
        if (cached is not null)
        {
            return Answer(attempt, imageKey, model, cached, AnswerSource.Cached);
        }

        var mine = false;
        while (true)
        {
            attempt.ThrowIfOver();
            var terms = new RequestTerms(attempt.Left, TraceParent: Activity.Current?.Id, Caller: attempt.Options.Caller);
            if (await AskAsync(
                attempt, key, request => stored ? request.Submit(terms, MaxWait, attempt.Token) : request.Ask(terms, MaxWait, attempt.Token)) is not { } snapshot)
            {
                continue;
            }

            ThrowIfRefused(attempt, snapshot);

            // What this request put in the queue stays its own, however often it asks after it.
            mine |= stored && !snapshot.Joined;
            switch (snapshot.Status)
            {
                case RequestStatus.Done:
                    return Answer(attempt, imageKey, model, snapshot.Result!, snapshot.Joined && !mine ? AnswerSource.Joined : AnswerSource.Computed);
                case RequestStatus.Failed when snapshot.Failure!.Reason == FailureReason.ModelGone:
                    return await WithNextModelAsync(attempt, () => DetectAsync(attempt, imageKey, picture));
                case RequestStatus.Failed when snapshot.Failure!.Reason != FailureReason.PictureLost:
                    throw Failure(attempt, snapshot.Failure);
                case RequestStatus.Failed when picture.IsEmpty:
                    return null;
                case RequestStatus.Queued or RequestStatus.Running:
                    // It is under way; no need to bring the picture. (A stopping silo answers before the wait is over.)
                    stored = false;
                    await Task.Delay(TimeSpan.FromMilliseconds(10), _time, attempt.Token);
                    break;
                default:
                    // The cluster does not know the picture (any more), or what it knew came to nothing without a fault of the picture.
                    await StoreAsync(attempt, imageKey, picture);
                    stored = true;
                    break;
            }
        }
    }

    /// <summary>Puts one picture into the queue. <see langword="null"/> as above.</summary>
    private async Task<DetectionTicket?> SubmitAsync(Attempt attempt, string imageKey, ReadOnlyMemory<byte> picture, Uri? webhook)
    {
        attempt.ImageKey = imageKey;
        var model = await FindModelAsync(attempt, wait: true);
        var key = new RequestKey(model.Id, imageKey, attempt.Options.Iou);
        var (cached, stored) = await FindOrStoreAsync(attempt, key, picture);
        if (cached is not null && webhook is null)
        {
            return Done(attempt, imageKey, model, cached);
        }

        var told = webhook is null ? null : new WebhookTerms(webhook, Choice(attempt.Options, model) with { Labels = attempt.Options.Labels?.ToArray() });
        while (true)
        {
            attempt.ThrowIfOver();
            var terms = new RequestTerms(attempt.Left, Asynchronous: true, Activity.Current?.Id, attempt.Options.Caller, told);
            if (await AskAsync(
                attempt, key, request => stored ? request.Submit(terms, TimeSpan.Zero, attempt.Token) : request.Ask(terms, TimeSpan.Zero, attempt.Token)) is not { } snapshot)
            {
                continue;
            }

            ThrowIfRefused(attempt, snapshot);
            if (snapshot is { Status: RequestStatus.Failed, Failure.Reason: FailureReason.ModelGone })
            {
                return await WithNextModelAsync(attempt, () => SubmitAsync(attempt, imageKey, picture, webhook));
            }

            var lost = snapshot is { Status: RequestStatus.Failed, Failure.Reason: FailureReason.PictureLost };
            if (lost && picture.IsEmpty)
            {
                return null;
            }

            if (lost || snapshot.Status is RequestStatus.Unknown or RequestStatus.Expired)
            {
                await StoreAsync(attempt, imageKey, picture);
                stored = true;
                continue;
            }

            return Ticket(attempt, imageKey, model, snapshot);
        }
    }

    private async Task<DetectionTicket> WatchAsync(Attempt attempt, string imageKey, TimeSpan wait, DetectionStatus? known)
    {
        var model = await FindModelAsync(attempt, wait: false);
        var key = new RequestKey(model.Id, imageKey, attempt.Options.Iou);
        if (await FindResultAsync(key) is { } cached)
        {
            return Done(attempt, imageKey, model, cached);
        }

        RequestStatus? before = known switch
        {
            DetectionStatus.Queued => RequestStatus.Queued,
            DetectionStatus.Running => RequestStatus.Running,
            _ => null,
        };
        var started = _time.GetTimestamp();
        while (true)
        {
            attempt.ThrowIfOver();
            var left = wait - _time.GetElapsedTime(started);
            left = left < TimeSpan.Zero ? TimeSpan.Zero : left < MaxWait ? left : MaxWait;
            if (await AskAsync(attempt, key, request => request.Watch(before, left, attempt.Token)) is not { } snapshot)
            {
                continue;
            }

            ThrowIfRefused(attempt, snapshot);
            var ends = snapshot.IsFinal || snapshot.Status == RequestStatus.Unknown || (before is not null && snapshot.Status != before);
            if (ends || _time.GetElapsedTime(started) >= wait)
            {
                return Ticket(attempt, imageKey, model, snapshot);
            }
        }
    }

    /// <summary>Calls the grain of a request; <see langword="null"/> when it is worth to call again.</summary>
    private async Task<RequestSnapshot?> AskAsync(Attempt attempt, RequestKey key, Func<IRequestGrain, Task<RequestSnapshot>> call)
    {
        try
        {
            var grains = await _cluster.GetGrainsAsync(attempt.Token);
            return await CallAsync(call(grains.GetGrain<IRequestGrain>(key.ToString())), attempt);
        }
        catch (Exception e) when (IsTransient(e, attempt))
        {
            LogRetry(key.ImageKey, e.GetType().Name, e.Message);
            await Task.Delay(RetryDelay * Math.Min(10, ++attempt.Retries), _time, attempt.Token);
            return null;
        }
    }

    private static DetectionTicket Ticket(Attempt attempt, string imageKey, ModelInfo model, RequestSnapshot snapshot)
    {
        attempt.Outcome = "accepted";
        return Told(attempt, imageKey, model, snapshot);
    }

    private static DetectionTicket Told(Attempt attempt, string imageKey, ModelInfo model, RequestSnapshot snapshot) => snapshot.Status switch
    {
        RequestStatus.Done => Done(attempt, imageKey, model, snapshot.Result!),
        RequestStatus.Failed => new(imageKey, DetectionStatus.Failed, Failure: Failure(attempt, snapshot.Failure!), Model: model.Id),
        RequestStatus.Expired => new(imageKey, DetectionStatus.Expired, Failure: attempt.DeadlineExceeded(), Model: model.Id),
        RequestStatus.Running => new(imageKey, DetectionStatus.Running, snapshot.Position, snapshot.EstimatedWait, Model: model.Id),
        RequestStatus.Queued => new(imageKey, DetectionStatus.Queued, snapshot.Position, snapshot.EstimatedWait, Model: model.Id),
        _ => new(imageKey, DetectionStatus.Unknown, Model: model.Id),
    };

    private static DetectionTicket Done(Attempt attempt, string imageKey, ModelInfo model, DetectionResult result) =>
        new(imageKey, DetectionStatus.Done, Answer: Answer(attempt, imageKey, model, result, AnswerSource.Cached), Model: model.Id);

    private static DetectionOptions Submission(DetectionOptions? options) =>
        (options ?? new DetectionOptions()) with { Deadline = options?.Deadline ?? DetectionOptions.MaxDeadline };

    /// <exception cref="DetectionException">No picture, or too large.</exception>
    private string KeyOf(ReadOnlyMemory<byte> picture, string? caller)
    {
        if (picture.IsEmpty)
        {
            throw new DetectionException(DetectionError.NotAPicture, "There is no picture: 0 bytes were sent.");
        }

        return picture.Length <= _options.MaxPictureBytes ? _keys.Of(picture.Span, caller) : throw TooLarge();
    }

    /// <summary>Does something with the picture at a URL, which is fetched again when it is not kept any more.</summary>
    private async Task<T> WithFetchedAsync<T>(Attempt attempt, Uri url, Func<string, Task<T?>> request)
        where T : class
    {
        await RequireSameImageKeysAsync(attempt);
        while (true)
        {
            if (await request(await FetchAsync(attempt, url)) is { } answer)
            {
                return answer;
            }

            LogFetchAgain(attempt.ImageKey, url.Host);
            await Task.Delay(RetryDelay, _time, attempt.Token);
        }
    }

    private async Task<string> FetchAsync(Attempt attempt, Uri url)
    {
        while (true)
        {
            attempt.ThrowIfOver();
            FetchOutcome outcome;
            try
            {
                var grains = await _cluster.GetGrainsAsync(attempt.Token);
                outcome = await grains.GetGrain<IPictureFetchGrain>(0).Fetch(url, attempt.Left, attempt.Options.Caller, attempt.Token).WaitAsync(attempt.Left, _time, attempt.Token);
            }
            catch (Exception e) when (IsTransient(e, attempt))
            {
                LogRetry(url.Host, e.GetType().Name, e.Message);
                await Task.Delay(RetryDelay, _time, attempt.Token);
                continue;
            }

            return outcome.Status switch
            {
                FetchStatus.Stored => outcome.ImageKey!,
                FetchStatus.NotAllowed => throw attempt.Error(DetectionError.UrlNotAllowed, outcome.Message!),
                FetchStatus.ShareUsed => throw attempt.Error(DetectionError.ShareUsed, outcome.Message!, FetchRetry),
                FetchStatus.Busy => throw attempt.Error(DetectionError.Busy, outcome.Message!, FetchRetry),
                FetchStatus.TooLarge => throw attempt.Error(DetectionError.TooLarge, outcome.Message!),
                _ => throw attempt.Error(DetectionError.UrlNotReachable, outcome.Message!),
            };
        }
    }

    /// <summary>
    /// Awaits a call for little longer than it may take. Not by cancelling it: to the grain that would mean that the caller has left.
    /// </summary>
    private Task<RequestSnapshot> CallAsync(Task<RequestSnapshot> call, Attempt attempt)
    {
        var limit = MaxWait + CallGrace;
        return call.WaitAsync(limit < attempt.Left ? limit : attempt.Left + TimeSpan.FromMilliseconds(50), _time, attempt.Token);
    }

    private async Task<DetectionResult?> FindResultAsync(RequestKey key)
    {
        using var lease = await (await DatabaseAsync()).StringGetLeaseAsync(_redisKeys.Result(key));
        return lease is null ? null : StoredResult.TryRead(_serializer, key, lease.Memory);
    }

    /// <summary>
    /// The result when it is there. Otherwise stores the picture, unless the work is under way: then it need not be brought.
    /// </summary>
    private async Task<(DetectionResult? Result, bool Stored)> FindOrStoreAsync(Attempt attempt, RequestKey key, ReadOnlyMemory<byte> picture)
    {
        var database = await DatabaseAsync();
        var finding = database.StringGetAsync([_redisKeys.Result(key), _redisKeys.Item(key)]);

        // In the same round trip: whether the picture of a known result is still there.
        var looking = picture.IsEmpty ? Task.FromResult(true) : _pictures.ContainsAsync(key.ImageKey);
        await Task.WhenAll(finding, looking);
        var found = await finding;
        if (!found[0].IsNull && StoredResult.TryRead(_serializer, key, (ReadOnlyMemory<byte>)found[0]) is { } result)
        {
            await KeepAsync(attempt, key.ImageKey, picture, await looking);
            return (result, false);
        }

        if (!found[1].IsNull)
        {
            return (null, false);
        }

        await StoreAsync(attempt, key.ImageKey, picture);
        return (null, true);
    }

    // A picture from a URL is in Redis already.
    private Task StoreAsync(Attempt attempt, string imageKey, ReadOnlyMemory<byte> picture) =>
        picture.IsEmpty ? Task.CompletedTask : _pictures.StoreAsync(imageKey, picture, attempt.Options.Caller, attempt.Token);

    /// <summary>
    /// Keeps the picture of a known result for another while, so that it can be drawn. A Redis that has no room for it does not keep the
    /// result from its caller.
    /// </summary>
    private async Task KeepAsync(Attempt attempt, string imageKey, ReadOnlyMemory<byte> picture, bool isThere)
    {
        try
        {
            if (!isThere)
            {
                await StoreAsync(attempt, imageKey, picture);
            }

            // The silos' setting may keep it for longer. (Before 7.0 Redis does not know the condition: it then keeps it as long as it would have.)
            var when = isThere ? ExpireWhen.GreaterThanCurrentExpiry : ExpireWhen.Always;
            await _pictures.KeepKnownAsync(imageKey, when);
        }
        catch (RedisServerException e)
        {
            LogNotKept(imageKey, e.Message);
        }
    }

    private async Task<ModelInfo> FindModelAsync(Attempt attempt, bool wait)
    {
        var name = attempt.Options.Model ?? _options.DefaultModel;
        var catalog = await CatalogAsync();
        while (true)
        {
            var found = await catalog.FindAsync(name, toRun: wait);
            await RequireSameImageKeysAsync(attempt);
            if (found.Entry is { } entry && (entry.Accepts || !wait))
            {
                attempt.Model = entry.Model.Id;
                return entry.Model;
            }

            // While no silo with a device is up, nobody can say that the model does not exist.
            if (found.Served || found.Entry is not null)
            {
                throw attempt.Error(DetectionError.ModelNotFound, ModelMessages.NotServed(name, found));
            }

            if (!wait)
            {
                throw attempt.Error(DetectionError.Unavailable, "No silo with a device is up.", TimeSpan.FromSeconds(1));
            }

            attempt.ThrowIfOver();
            await Task.Delay(RetryDelay, _time, attempt.Token);
        }
    }

    /// <summary>Whether the caller may read what a key names.</summary>
    /// <exception cref="DetectionException">The silos name pictures in another way: nothing can be said of the key.</exception>
    private async Task<bool> MayReadAsync(Attempt attempt, string imageKey)
    {
        await RequireSameImageKeysAsync(attempt);
        return _keys.MayRead(imageKey, attempt.Options.Caller);
    }

    /// <exception cref="DetectionException">The silos make image keys with another secret than this process.</exception>
    private async Task RequireSameImageKeysAsync(Attempt attempt)
    {
        await (await CatalogAsync()).LookAsync();
        if (_keyComparison.Differs)
        {
            throw attempt.Error(DetectionError.Unavailable, ImageKeyComparison.Fault, SettingRetry);
        }
    }

    /// <summary>A silo said that the model is gone: the request begins anew, with the version that is served by now.</summary>
    private async Task<T> WithNextModelAsync<T>(Attempt attempt, Func<Task<T>> request)
    {
        (await CatalogAsync()).Distrust();
        await Task.Delay(RetryDelay, _time, attempt.Token);
        return await request();
    }

    private async ValueTask<ModelCatalog> CatalogAsync() => _catalog ??= new ModelCatalog(await _redis.ConnectAsync(), _redisKeys, _keyComparison, _time);

    private async ValueTask<IDatabase> DatabaseAsync() => (await _redis.ConnectAsync()).GetDatabase();

    private static DetectionAnswer Answer(Attempt attempt, string imageKey, ModelInfo model, DetectionResult result, AnswerSource source)
    {
        var choice = Choice(attempt.Options, model);
        var objects = new List<DetectedObject>();
        foreach (var (label, box) in choice.Of(result.Boxes, model.Labels))
        {
            objects.Add(new DetectedObject(label, box.ClassId, box.Score, box.X1, box.Y1, box.X2, box.Y2));
        }

        attempt.Outcome = ClientMetrics.Outcome(source);
        return new DetectionAnswer(imageKey, result.Model, result.Width, result.Height, objects, choice.Threshold, source, result.Timings);
    }

    private static BoxChoice Choice(DetectionOptions options, ModelInfo model) =>
        new(Math.Max(options.Threshold ?? model.Threshold, model.ScoreFloor), options.MaxObjects, options.Labels);

    private static DetectionException Failure(Attempt attempt, RequestFailure failure) => attempt.Error(
        failure.Reason switch
        {
            FailureReason.NotAPicture => DetectionError.NotAPicture,
            FailureReason.Undecodable => DetectionError.Undecodable,
            FailureReason.Unsupported => DetectionError.Unsupported,
            FailureReason.TooLarge => DetectionError.TooLarge,
            FailureReason.ModelGone => DetectionError.ModelNotFound,
            _ => DetectionError.Failed,
        },
        failure.Message);

    /// <exception cref="DetectionException">Nothing was taken on.</exception>
    private void ThrowIfRefused(Attempt attempt, RequestSnapshot snapshot)
    {
        switch (snapshot.Status)
        {
            case RequestStatus.Busy:
                throw attempt.Error(DetectionError.Busy, "Too many pictures wait already.", snapshot.RetryAfter);
            case RequestStatus.ShareUsed:
                throw attempt.Error(
                    DetectionError.ShareUsed,
                    $"So many pictures of {attempt.Options.Caller} wait already that its share of the queue is used.",
                    snapshot.RetryAfter);
            case RequestStatus.TooLate:
                throw attempt.Error(DetectionError.Busy, RefusalMessages.TooLate(snapshot, caller: null), snapshot.RetryAfter);
            case RequestStatus.OwnTooLate:
                throw attempt.Error(DetectionError.ShareUsed, RefusalMessages.TooLate(snapshot, attempt.Options.Caller), snapshot.RetryAfter);
            case RequestStatus.WebhookShareUsed:
                throw attempt.Error(
                    DetectionError.ShareUsed,
                    $"So many webhooks of {attempt.Options.Caller} wait already to be delivered that its share of them is used.",
                    snapshot.RetryAfter);
            case RequestStatus.WebhookRefused:
                throw attempt.Error(DetectionError.WebhookRefused, snapshot.Failure!.Message);
            case RequestStatus.WebhooksFull:
                throw attempt.Error(DetectionError.WebhooksFull, "Too many webhooks wait already to be delivered.", snapshot.RetryAfter);
            case RequestStatus.StorageFull:
                throw attempt.Error(DetectionError.StorageFull, RefusalMessages.StorageFull(_redis, null), snapshot.RetryAfter);
            case RequestStatus.DevicesBroken:
                throw attempt.Error(DetectionError.Unavailable, $"Every device that serves '{attempt.Model}' is broken.", snapshot.RetryAfter);
            case RequestStatus.Unavailable:
                throw attempt.Error(DetectionError.Unavailable, "The cluster cannot reach its Redis, or Redis answers it with an error; the silos' log says which.", snapshot.RetryAfter);
        }
    }

    private DetectionException TooLarge() =>
        new(DetectionError.TooLarge, $"The picture has more than {_options.MaxPictureBytes} bytes.");

    /// <summary>
    /// Failures of one silo or one connection, or of a Redis seen by a silo, that asking again mends. A silo also cancels what it
    /// could not place in time because another silo has fallen silent.
    /// </summary>
    private static bool IsTransient(Exception e, Attempt attempt) =>
        (e is TimeoutException or OrleansException or RedisException && !RedisConnection.IsFull(e))
        || (e is OperationCanceledException && !attempt.Token.IsCancellationRequested);

    /// <summary>Runs <paramref name="action"/> under the request's deadline and turns what goes wrong into <see cref="DetectionException"/>.</summary>
    /// <param name="options">What the request chose.</param>
    /// <param name="imageKey">Key of the picture, where it is known.</param>
    /// <param name="action">The request.</param>
    /// <param name="cancellationToken">The caller has left.</param>
    /// <param name="counts">Whether it is a request for a picture, to be seen in metrics and traces.</param>
    private async Task<T> WithinDeadlineAsync<T>(
        DetectionOptions? options, string? imageKey, Func<Attempt, Task<T>> action, CancellationToken cancellationToken, bool counts = false)
    {
        using var attempt = new Attempt(Validated(options ?? new DetectionOptions()), _options.Deadline, _time, cancellationToken) { ImageKey = imageKey };
        var started = counts ? _time.GetTimestamp() : 0;
        var span = counts ? ClientMetrics.Begin() : null;
        try
        {
            return await action(attempt);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && attempt.Token.IsCancellationRequested)
        {
            // A picture's deadline ends its request. A look-up that times out says nothing of the request that it asks for.
            throw counts
                ? attempt.DeadlineExceeded()
                : attempt.Error(DetectionError.Unavailable, "The cluster did not answer in time.", TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (RedisConnection.IsFull(e))
        {
            throw attempt.Error(DetectionError.StorageFull, RefusalMessages.StorageFull(_redis, e), TimeSpan.FromSeconds(1), e);
        }
        catch (RedisServerException e) when (RedisConnection.IsShareUsed(e))
        {
            throw attempt.Error(DetectionError.ShareUsed, RefusalMessages.MemoryShareUsed(attempt.Options.Caller), TimeSpan.FromSeconds(1), e);
        }
        catch (Exception e) when (RedisConnection.IsOutage(e))
        {
            if (e is RedisServerException)
            {
                LogRefused(imageKey, e.Message);
            }

            throw attempt.Error(DetectionError.Unavailable, $"The cluster's {RedisConnection.Explain(e)}", TimeSpan.FromSeconds(1), e);
        }
        finally
        {
            if (counts)
            {
                ClientMetrics.End(span, attempt.ImageKey, attempt.Model, attempt.Outcome, _time.GetElapsedTime(started));
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

    /// <summary>Reads a picture; bytes of another one end the connection that gave them, and it is read once more.</summary>
    private async Task<IMemoryOwner<byte>?> ReadPictureAsync(string imageKey, string? caller, CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            var picture = await _pictures.ReadAsync(imageKey, cancellationToken);
            if (picture is null || _keys.Matches(imageKey, picture.Span, caller))
            {
                return picture;
            }

            picture.Dispose();
            LogWrongPicture(imageKey);
            await _pictures.ReconnectAsync();
            if (again)
            {
                return null;
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "{ImageKey}: Redis gave the bytes of another picture; the connection that gave them is ended")]
    private partial void LogWrongPicture(string imageKey);

    [LoggerMessage(LogLevel.Warning, "{ImageKey}: the request is refused, Redis answers with an error: {Reason}")]
    private partial void LogRefused(string? imageKey, string reason);

    [LoggerMessage(LogLevel.Debug, "{ImageKey}: asking again after {Failure}: {Message}")]
    private partial void LogRetry(string imageKey, string failure, string message);

    [LoggerMessage(LogLevel.Debug, "{ImageKey}: its result is known, its picture could not be stored again: {Message}")]
    private partial void LogNotKept(string imageKey, string message);

    [LoggerMessage(LogLevel.Debug, "{ImageKey}: its picture is not kept any more; it is fetched from {Host} again")]
    private partial void LogFetchAgain(string? imageKey, string host);

    /// <summary>One request of a caller and its deadline.</summary>
    private sealed class Attempt : IDisposable
    {
        private readonly TimeProvider _time;
        private readonly DateTimeOffset _deadline;
        private readonly CancellationTokenSource _timeout;
        private readonly CancellationTokenSource _linked;

        public Attempt(DetectionOptions options, TimeSpan defaultDeadline, TimeProvider time, CancellationToken cancellationToken)
        {
            Options = options;
            _time = time;
            var budget = options.Deadline ?? defaultDeadline;
            _deadline = time.GetUtcNow() + budget;
            _timeout = new CancellationTokenSource(budget, time);
            _linked = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, cancellationToken);
        }

        public DetectionOptions Options { get; }

        public string? ImageKey { get; set; }

        /// <summary>The model as <c>name@version</c>, once it is known to be served: a label must not be what callers make up.</summary>
        public string Model { get; set; } = "unknown";

        /// <summary>What became of it, for metrics and traces.</summary>
        public string Outcome { get; set; } = "cancelled";

        /// <summary>How often a call had to be made again.</summary>
        public int Retries { get; set; }

        /// <summary>Cancelled at the deadline, and when the caller leaves.</summary>
        public CancellationToken Token => _linked.Token;

        /// <summary>Time left until the deadline, never quite zero.</summary>
        public TimeSpan Left
        {
            get
            {
                var left = _deadline - _time.GetUtcNow();
                return left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1);
            }
        }

        public void ThrowIfOver() => Token.ThrowIfCancellationRequested();

        public DetectionException DeadlineExceeded() => Error(DetectionError.DeadlineExceeded, "The deadline passed before there was a result.");

        public DetectionException Error(DetectionError error, string message, TimeSpan? retryAfter = null, Exception? inner = null)
        {
            Outcome = ClientMetrics.Outcome(error);
            return new(error, message, retryAfter, inner) { ImageKey = ImageKey };
        }

        public void Dispose()
        {
            _linked.Dispose();
            _timeout.Dispose();
        }
    }
}
