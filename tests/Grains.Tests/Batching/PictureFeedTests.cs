using System.Collections.Concurrent;
using Detection.Contracts.Pictures;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using Detection.Grains.Batching;
using Detection.Grains.Health;
using Detection.Grains.Queueing;
using Detection.Inference.Devices;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Batching;

public sealed class PictureFeedTests : IAsyncLifetime
{
    /// <summary>Length of a picture that is not started.</summary>
    private const int Costly = 77;

    private static readonly RedisKeys Keys = new();
    private readonly ConcurrentQueue<(QueuedItem Item, bool Came)> _fetched = [];
    private readonly SemaphoreSlim _ahead = new(PictureFeed.MaxAhead);
    private RedisServer _redis = null!;
    private RedisConnections _connections = null!;
    private PictureStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connections = new RedisConnections(_redis.ConnectionString);
        _store = new PictureStore(_connections, Keys, Options.Create(new PictureTransferOptions()), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        await _redis.DisposeAsync();
        _ahead.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_item_gets_the_outcome_of_its_picture_and_a_missing_picture_delays_no_other(bool singly)
    {
        var items = new List<QueuedItem>();
        for (var i = 1; i <= 9; i++)
        {
            items.Add(await ItemAsync(i, isKept: i % 3 != 0));
        }

        var session = new Session(singly);
        var outcomes = await RunAsync(session, items);

        // The device returns the number of bytes of a picture as its width.
        Assert.Equal([1, 2, null, 4, 5, null, 7, 8, null], outcomes.Select(outcome => outcome?.Width));
        Assert.Equal(singly ? [1, 1, 1, 1, 1, 1] : [6], session.Batches);
        Assert.Equal(items.Select((item, i) => (item.Key, (i + 1) % 3 != 0)).ToHashSet(), _fetched.Select(one => (one.Item.Key, one.Came)).ToHashSet());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failed_run_fails_only_pictures_without_an_outcome(bool singly)
    {
        var items = new List<QueuedItem> { await ItemAsync(1), await ItemAsync(2), await ItemAsync(3) };
        var outcomes = await RunAsync(new Session(singly) { BreaksAt = 2 }, items);

        Assert.Equal(OutcomeKind.Detected, outcomes[0]!.Kind);
        Assert.Equal((OutcomeKind.Failed, "broken"), (outcomes[1]!.Kind, outcomes[1]!.Error?.Message));
        Assert.Equal(singly ? OutcomeKind.Detected : OutcomeKind.Failed, outcomes[2]!.Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failed_fetch_is_thrown_after_the_other_pictures_are_done(bool singly)
    {
        var items = new List<QueuedItem> { await ItemAsync(1), await ItemAsync(2), await ItemAsync(3) };
        await using (var connection = await _redis.ConnectAsync())
        {
            // Redis refuses to read it as a string.
            await connection.GetDatabase().KeyDeleteAsync(Keys.Picture(items[1].Key.ImageKey));
            await connection.GetDatabase().ListLeftPushAsync(Keys.Picture(items[1].Key.ImageKey), "x");
        }

        var outcomes = new PictureOutcome?[items.Count];
        await Assert.ThrowsAnyAsync<RedisException>(() => Feed(new Session(singly)).RunAsync(items, (i, outcome) => outcomes[i] = outcome, CancellationToken.None));
        Assert.Equal([1, null, 3], outcomes.Select(outcome => outcome?.Width));
    }

    [Fact]
    public async Task Device_gets_the_deadline_and_the_check_of_the_bytes()
    {
        var right = await ItemAsync(5);
        var (wrong, _) = Item(6);
        await _store.StoreAsync(wrong.Key.ImageKey, new byte[] { 1, 2, 3 });
        var session = new Session(singly: false);

        await RunAsync(session, [right, wrong]);

        Assert.Equal([true, false], session.Genuine);
        Assert.All(session.Deadlines, deadline => Assert.InRange(deadline - right.Deadline, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Items_not_started_are_deferred_and_the_others_run(bool singly)
    {
        var items = new List<QueuedItem> { await ItemAsync(1), await ItemAsync(Costly), await ItemAsync(2) };

        var outcomes = await RunAsync(new Session(singly), items);

        Assert.Equal([false, true, false], outcomes.Select(static outcome => ReferenceEquals(outcome, PictureFeed.Deferred)));
        Assert.All((int[])[0, 2], i => Assert.Equal(OutcomeKind.Detected, outcomes[i]!.Kind));
    }

    [Fact]
    public async Task Pictures_run_singly_are_fetched_a_few_ahead_over_all_batches()
    {
        var items = new List<QueuedItem>();
        for (var i = 1; i <= PictureFeed.MaxAhead + 8; i++)
        {
            items.Add(await ItemAsync(Costly + i));
        }

        var session = new Session(singly: true) { Holds = new TaskCompletionSource() };
        var first = RunAsync(session, items[..6]);
        var second = RunAsync(session, items[6..]);
        await Eventually.Async(() => session.Held == PictureFeed.MaxAhead, TimeSpan.FromSeconds(30), "as many as may be are held");
        Assert.Equal(0, _ahead.CurrentCount);
        Assert.Equal(PictureFeed.MaxAhead, _fetched.Count);

        session.Holds.SetResult();
        PictureOutcome?[] outcomes = [.. await first, .. await second];
        Assert.Equal(items.Select((_, i) => Costly + i + 1), outcomes.Select(static outcome => outcome!.Width));
        Assert.Equal(PictureFeed.MaxAhead, session.MaxHeld);
        Assert.Equal(PictureFeed.MaxAhead, _ahead.CurrentCount);
    }

    [Fact]
    public async Task Cancellation_drops_pictures_not_started()
    {
        var items = new List<QueuedItem> { await ItemAsync(1) };
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Feed(new Session(true)).RunAsync(items, (_, _) => Assert.Fail("completed"), cancelled.Token));
    }

    private async Task<PictureOutcome?[]> RunAsync(Session session, List<QueuedItem> items)
    {
        var outcomes = new PictureOutcome?[items.Count];
        var completed = new int[items.Count];
        await Feed(session).RunAsync(
            items,
            (i, outcome) =>
            {
                outcomes[i] = outcome;
                Interlocked.Increment(ref completed[i]);
            },
            CancellationToken.None);
        Assert.All(completed, times => Assert.Equal(1, times));
        return outcomes;
    }

    private PictureFeed Feed(Session session) => new(
        _store, new ImageKeys(Options.Create(new ImageKeyOptions())), new ClusterClock(TimeProvider.System), session, new PicturesOnDevice(TimeProvider.System), _ahead, (item, picture) =>
        {
            _fetched.Enqueue((item, picture is not null));
            return picture is not { Length: Costly };
        });

    private async Task<QueuedItem> ItemAsync(int bytes, bool isKept = true)
    {
        var (item, picture) = Item(bytes);
        if (isKept)
        {
            await _store.StoreAsync(item.Key.ImageKey, picture);
        }

        return item;
    }

    /// <summary>An item whose picture has the given number of bytes.</summary>
    private static (QueuedItem Item, byte[] Picture) Item(int bytes)
    {
        var picture = new byte[bytes];
        var now = DateTimeOffset.UtcNow;
        return (new QueuedItem(new RequestKey("m@1", TestPictures.ImageKey(picture)), now + TimeSpan.FromMinutes(1), now), picture);
    }

    /// <summary>Returns the number of bytes of a picture as its width.</summary>
    private sealed class Session(bool singly) : IModelSession
    {
        private readonly ConcurrentQueue<int> _batches = [];
        private int _held;

        public int Concurrency => 1;

        public bool RunsSingly => singly;

        /// <summary>The run fails at the picture with this number of bytes.</summary>
        public int BreaksAt { get; init; }

        /// <summary>Completes before any run ends.</summary>
        public TaskCompletionSource? Holds { get; init; }

        /// <summary>Runs in progress.</summary>
        public int Held => Volatile.Read(ref _held);

        public int MaxHeld { get; private set; }

        public IEnumerable<int> Batches => _batches;

        public List<bool> Genuine { get; } = [];

        public List<DateTimeOffset> Deadlines { get; } = [];

        public async Task DetectAsync(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
        {
            await Task.Yield();
            if (Holds is not null)
            {
                lock (Genuine)
                {
                    MaxHeld = Math.Max(MaxHeld, ++_held);
                }

                await Holds.Task;
                Interlocked.Decrement(ref _held);
            }

            _batches.Enqueue(batch.Count);
            for (var i = 0; i < batch.Count; i++)
            {
                if (batch[i].Encoded.Length == BreaksAt)
                {
                    throw new InvalidOperationException("broken");
                }

                lock (Genuine)
                {
                    Genuine.Add(batch[i].IsGenuine!(batch[i].Encoded));
                    Deadlines.Add(batch[i].Deadline);
                }

                completed(i, new PictureOutcome(OutcomeKind.Detected, batch[i].Encoded.Length, 1, [], null, default, default, default, default));
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
