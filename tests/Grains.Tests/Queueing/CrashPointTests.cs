using System.Text;
using CsCheck;
using Detection.Contracts.Storage;
using Detection.Grains.Queueing;
using Detection.Testing;
using static Detection.Grains.Tests.Queueing.QueueFixture;

namespace Detection.Grains.Tests.Queueing;

/// <summary>
/// Explores what happens when processes die between any two steps of Enqueue, Claim, Settle, Reclaim, Release, Defer, Withdraw and Abandon. A
/// script is atomic in Redis, so a crash point lies between two scripts. After every step each accepted item is in exactly one list: that of
/// its caller or an in-flight list. At the end the remaining batchers drain the queue, and each item was settled exactly once or became a
/// dead letter.
/// </summary>
public sealed class CrashPointTests(QueueFixture fixture) : IClassFixture<QueueFixture>
{
    private static readonly RedisKeys Keys = new();
    private const int Items = 8;
    private const int Batchers = 3;
    private static readonly string?[] Callers = [null, "one", "two"];

    private enum Step
    {
        Enqueue,
        Claim,
        SettleOne,
        SettleTwice,
        SettleAgain,
        SettleExpired,
        JoinAsynchronously,
        Charge,
        Crash,
        LeaseEnds,
        Reclaim,
        Release,
        Defer,
        Withdraw,
        Renew,
        Abandon,
    }

    [Fact]
    public async Task No_crash_point_loses_or_doubles_an_item()
    {
        RedisServer.SkipUnlessInstalled();
        var steps = Gen.Select(Gen.Enum<Step>(), Gen.Int[0, Items - 1], Gen.Int[0, Batchers - 1]).Array[5, 80];
        await steps.SampleAsync(RunAsync, iter: 150, threads: 1, print: Print);
    }

    private async Task RunAsync((Step Step, int Item, int Batcher)[] steps)
    {
        var run = new Run(fixture, fixture.NewModel());
        foreach (var (step, item, batcher) in steps)
        {
            await run.TakeAsync(step, item, batcher);
            await run.CheckAsync();
        }

        await run.DrainAsync();
    }

    private static string Print((Step Step, int Item, int Batcher)[] steps) =>
        string.Join(' ', steps.Select(step => $"{step.Step}({step.Item},{step.Batcher})"));

    private sealed class Run(QueueFixture fixture, string model)
    {
        private readonly TestQueue _queue = fixture.NewQueue();

        /// <summary>Accepted and not ended.</summary>
        private readonly HashSet<int> _open = [];
        private readonly Dictionary<int, int> _settled = [];
        private readonly HashSet<int> _poison = [];

        /// <summary>The deadlines as the submitting callers know them.</summary>
        private readonly Dictionary<int, DateTimeOffset> _deadlines = [];
        private readonly HashSet<int> _joined = [];

        /// <summary>What each batcher believes to have claimed; it may be wrong after its lease expired.</summary>
        private readonly List<int>[] _believes = [.. Enumerable.Range(0, Batchers).Select(_ => new List<int>())];
        private readonly string?[] _names = new string?[Batchers];
        private int _generation;
        private int _settles;

        public async Task TakeAsync(Step step, int item, int batcher)
        {
            switch (step)
            {
                case Step.Enqueue:
                    var enqueued = await _queue.Requests.EnqueueAsync(Item(model, item, caller: CallerOf(item)), int.MaxValue);
                    switch (enqueued.Outcome)
                    {
                        case EnqueueOutcome.Queued:
                            Assert.True(_open.Add(item), $"{item} was queued while it was open");
                            Assert.DoesNotContain(item, _settled.Keys);
                            Assert.DoesNotContain(item, _poison);
                            _deadlines[item] = enqueued.Deadline;
                            _joined.Remove(item);
                            break;
                        case EnqueueOutcome.AlreadyDone:
                            // The result expires, so that the item can be queued again.
                            Assert.True(_settled.Remove(item), $"{item} was called done and is not");
                            Assert.True(await fixture.Database.KeyDeleteAsync(Keys.Result(Key(model, item))));
                            break;
                        case EnqueueOutcome.Poison:
                            Assert.True(_poison.Remove(item), $"{item} was refused and was never a dead letter");
                            Assert.True(await fixture.Database.KeyDeleteAsync(Keys.Poison(Key(model, item))));
                            break;
                        default:
                            Assert.Contains(item, _open);
                            break;
                    }

                    break;
                case Step.Claim:
                    if (_names[batcher] is null)
                    {
                        _names[batcher] = $"batcher{batcher}-{_generation++}";
                        await _queue.Batchers.TakeLeaseAsync(model, _names[batcher]!);
                    }

                    var claim = await _queue.Batchers.ClaimAsync(model, _names[batcher]!, 3);
                    Assert.Empty(claim.Void);
                    Assert.All(claim.Items, claimed => Assert.Equal(CallerOf(Convert.ToInt32(claimed.Key.ImageKey, 16)), claimed.Caller));
                    _believes[batcher].AddRange(claim.Items.Select(claimed => Convert.ToInt32(claimed.Key.ImageKey, 16)));
                    break;
                case Step.SettleOne when _believes[batcher].Count > 0:
                    await SettleAsync(batcher, _believes[batcher][0]);
                    _believes[batcher].RemoveAt(0);
                    break;
                case Step.SettleTwice when _believes[batcher].Count > 0:
                    await SettleAsync(batcher, _believes[batcher][0]);
                    await SettleAsync(batcher, _believes[batcher][0]);
                    break;
                case Step.SettleAgain when _believes[batcher].Count > 0:
                    await SettleAgainAsync(batcher, _believes[batcher][0]);
                    break;
                case Step.SettleExpired when _believes[batcher].Count > 0:
                    await SettleExpiredAsync(batcher, _believes[batcher][0]);
                    _believes[batcher].RemoveAt(0);
                    break;
                case Step.JoinAsynchronously:
                    Assert.Equal(_open.Contains(item), await _queue.Requests.ExtendAsync(Key(model, item), TimeSpan.FromSeconds(1)));
                    _joined.Add(item);
                    break;
                case Step.Charge:
                    await _queue.Batchers.ChargeAsync(model, new Dictionary<string, int> { [CallerOf(item) ?? ""] = item + 1 });
                    break;
                case Step.Crash:
                    // The process is gone with all that it believed; its lease expires later.
                    _believes[batcher].Clear();
                    _names[batcher] = null;
                    break;
                case Step.LeaseEnds:
                    foreach (var name in await _queue.Batchers.BatchersAsync(model))
                    {
                        if (name.StartsWith($"batcher{batcher}-", StringComparison.Ordinal))
                        {
                            await fixture.EndLeaseAsync(model, name);
                        }
                    }

                    break;
                case Step.Reclaim:
                    foreach (var name in await _queue.Batchers.BatchersAsync(model))
                    {
                        await ReclaimAsync(name);
                    }

                    break;
                case Step.Release when _names[batcher] is { } ended:
                    await _queue.Batchers.ReleaseAsync(model, ended);
                    _believes[batcher].Clear();
                    _names[batcher] = null;
                    break;
                case Step.Defer when _believes[batcher].Count > 0:
                    if (_names[batcher] is { } deferring)
                    {
                        Assert.InRange(await _queue.Batchers.DeferAsync(model, deferring, [.. _believes[batcher].Select(held => Key(model, held))]), 0, _believes[batcher].Count);
                        _believes[batcher].Clear();
                    }

                    break;
                case Step.Withdraw when _deadlines.TryGetValue(item, out var deadline):
                    if (await _queue.Requests.WithdrawAsync(Key(model, item), deadline))
                    {
                        Assert.DoesNotContain(item, _joined);
                        Assert.True(_open.Remove(item), $"{item} was withdrawn twice");
                    }

                    break;
                case Step.Abandon:
                    foreach (var ended in await _queue.Requests.AbandonAsync(model, most: item + 1))
                    {
                        Assert.True(_open.Remove(Convert.ToInt32(ended.ImageKey, 16)), $"{ended.ImageKey} was ended twice");
                    }

                    break;
                case Step.Renew when _names[batcher] is { } name:
                    if (!await _queue.Batchers.RenewLeaseAsync(model, name))
                    {
                        _names[batcher] = null;
                    }

                    break;
            }
        }

        /// <summary>Every open item is in exactly one list and has its mark; there are no other items.</summary>
        public async Task CheckAsync()
        {
            var places = new List<int>();
            foreach (var caller in Callers)
            {
                var waiting = await ListAsync(caller is null ? Keys.Queue(model) : Keys.Queue(model, caller));
                Assert.All(waiting, item => Assert.Equal(caller, CallerOf(item)));
                places.AddRange(waiting);
                if (caller is not null)
                {
                    var hasTurns = await fixture.Database.SortedSetScoreAsync(Keys.Callers(model), caller) is not null;
                    Assert.Equal(waiting.Count > 0, hasTurns);
                }
            }

            Assert.Equal(places.Count, await _queue.Requests.LengthAsync(model));
            foreach (var name in await _queue.Batchers.BatchersAsync(model))
            {
                places.AddRange(await ListAsync(Keys.InFlight(model, name)));
            }

            Assert.Equal(_open.Order(), places.Order());
            await foreach (var key in fixture.Redis.GetServers()[0].KeysAsync(pattern: $"*{model}*"))
            {
                Assert.True(await fixture.Database.KeyTimeToLiveAsync(key) is not null, $"{key} would stay for ever");
            }

            for (var item = 0; item < Items; item++)
            {
                Assert.Equal(_open.Contains(item), await _queue.Requests.ContainsAsync(Key(model, item)));
            }
        }

        /// <summary>Every process dies; a new batcher takes over and finishes.</summary>
        public async Task DrainAsync()
        {
            foreach (var name in await _queue.Batchers.BatchersAsync(model))
            {
                await fixture.EndLeaseAsync(model, name);
                await ReclaimAsync(name);
            }

            for (var batcher = 0; batcher < Batchers; batcher++)
            {
                _believes[batcher].Clear();
                _names[batcher] = null;
            }

            for (var round = 0; _open.Count > 0; round++)
            {
                Assert.True(round < 10 * Items, "the queue does not drain");
                await TakeAsync(Step.Claim, 0, 0);
                while (_believes[0].Count > 0)
                {
                    await TakeAsync(Step.SettleOne, 0, 0);
                }

                await CheckAsync();
            }

            await TakeAsync(Step.Release, 0, 0);
            Assert.Empty(await _queue.Batchers.BatchersAsync(model));
            Assert.False(await fixture.Database.KeyExistsAsync(Keys.Callers(model)));
            foreach (var item in _settled.Keys)
            {
                Assert.True(await fixture.Database.KeyExistsAsync(Keys.Result(Key(model, item))), $"{item} has no result");
            }
        }

        private static string? CallerOf(int item) => Callers[item % Callers.Length];

        private async Task ReclaimAsync(string name)
        {
            foreach (var poison in (await _queue.Batchers.ReclaimAsync(model, name)).Poison)
            {
                var item = Convert.ToInt32(poison.ImageKey, 16);
                Assert.True(_open.Remove(item), $"{item} became a dead letter while it was not open");
                _poison.Add(item);
            }
        }

        private async Task SettleAsync(int batcher, int item)
        {
            if (_names[batcher] is not { } name)
            {
                return;
            }

            var settlement = new Settlement(Key(model, item), Encoding.UTF8.GetBytes("result"));
            if ((await _queue.Batchers.SettleAsync(model, name, [settlement], TimeSpan.FromMinutes(5), ++_settles))[0] == SettleOutcome.Settled)
            {
                Assert.True(_open.Remove(item), $"{item} was settled while it was not open");
                _settled[item] = _settled.GetValueOrDefault(item) + 1;
            }
        }

        /// <summary>The answer to a settle is lost, and others may continue before it is repeated.</summary>
        private async Task SettleAgainAsync(int batcher, int item)
        {
            if (_names[batcher] is not { } name)
            {
                return;
            }

            var settlement = new Settlement(Key(model, item), Encoding.UTF8.GetBytes("result"));
            var number = ++_settles;
            var lost = await _queue.Batchers.SettleAsync(model, name, [settlement], TimeSpan.FromMinutes(5), number);
            if (lost[0] == SettleOutcome.Settled)
            {
                Assert.True(_open.Remove(item), $"{item} was settled while it was not open");
                _settled[item] = _settled.GetValueOrDefault(item) + 1;
            }

            Assert.Equal(lost, await _queue.Batchers.SettleAsync(model, name, [settlement], TimeSpan.FromMinutes(5), number, again: true));
        }

        /// <summary>The batcher believes that a deadline has passed which has been extended: the item continues.</summary>
        private async Task SettleExpiredAsync(int batcher, int item)
        {
            if (_names[batcher] is { } name)
            {
                var outcome = (await _queue.Batchers.SettleAsync(model, name, [new Settlement(Key(model, item), default, Expired: true)], TimeSpan.FromMinutes(5), ++_settles))[0];
                Assert.NotEqual(SettleOutcome.Settled, outcome);
                Assert.True(outcome == SettleOutcome.NotHeld || _open.Contains(item), $"{item} was returned while it was not open");
            }
        }

        /// <summary>The items of a list. Their marks outlive the list, whichever processes are gone and for how long.</summary>
        private async Task<List<int>> ListAsync(string list)
        {
            var items = (await fixture.Database.ListRangeAsync(list)).Select(entry => Convert.ToInt32((string)entry!, 16)).ToList();
            foreach (var item in items)
            {
                Assert.True(
                    await fixture.Database.KeyTimeToLiveAsync(Keys.Item(Key(model, item))) > await fixture.Database.KeyTimeToLiveAsync(list),
                    $"the mark of {item} would expire before its list");
            }

            return items;
        }
    }
}
