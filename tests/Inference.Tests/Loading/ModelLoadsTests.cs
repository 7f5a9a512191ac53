using Detection.Inference.Loading;
using Detection.Inference.Manifest;

namespace Detection.Inference.Tests.Loading;

/// <summary>The order of loads: a slow one delays no other, and few slow ones run concurrently.</summary>
public sealed class ModelLoadsTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);

    private readonly ManualResetEventSlim _end = new();
    private readonly ModelLoads _loads = new(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    private int _running;

    [Fact]
    public async Task Slow_load_delays_no_other_and_still_returns_its_result()
    {
        var slow = Hang("slow", Long);

        Assert.Equal("one", await Load("one").WaitAsync(Enough));
        Assert.Equal("two", await Load("two").WaitAsync(Enough));
        Assert.False(slow.IsCompleted);

        _end.Set();
        Assert.Equal("slow", await slow.WaitAsync(Enough));
    }

    [Fact]
    public async Task Only_a_few_loads_run_at_once_and_the_default_model_does_not_wait_for_them()
    {
        var slow = Enumerable.Range(0, 3 * ModelLoads.MaxSlow).Select(i => Hang($"slow{i}", Long)).ToList();
        await Eventually.Async(() => Volatile.Read(ref _running) == ModelLoads.MaxSlow + 1, Enough, "the places for slow loads are taken");
        var waiting = new ModelLoad("waiting", Long);
        var last = Load(waiting);

        Assert.Equal("default", await Load("default", isFirst: true).WaitAsync(Enough));
        Assert.Contains("is waiting", waiting.Status, StringComparison.Ordinal);
        Assert.Equal(ModelLoads.MaxSlow + 1, Volatile.Read(ref _running));

        _end.Set();
        await Task.WhenAll(slow).WaitAsync(Enough);
        Assert.Equal("waiting", await last.WaitAsync(Enough));
    }

    [Fact]
    public async Task Load_over_its_limit_is_abandoned_and_the_same_bytes_are_not_retried()
    {
        var freed = new TaskCompletionSource<string>();
        var limit = TimeSpan.FromMilliseconds(50);
        var error = await Assert.ThrowsAsync<ModelException>(() => Hang("slow", limit, freed.SetResult).WaitAsync(Enough));
        Assert.Contains("could not be loaded within 00:00:00.05", error.Message, StringComparison.Ordinal);

        int before = Volatile.Read(ref _running);
        var again = await Assert.ThrowsAsync<ModelException>(() => Hang("copy", limit, content: "slow").WaitAsync(Enough));
        Assert.Contains("Model copy could not be loaded within", again.Message, StringComparison.Ordinal);
        Assert.Equal(before, Volatile.Read(ref _running));
        Assert.Equal("good", await Load("good").WaitAsync(Enough));

        _end.Set();
        Assert.Equal("slow", await freed.Task.WaitAsync(Enough));
    }

    [Fact]
    public async Task Cancelled_load_is_retried_after_it_has_ended()
    {
        using var cancellation = new CancellationTokenSource();
        var slow = Hang("slow", Long, cancellationToken: cancellation.Token);
        await Eventually.Async(() => Volatile.Read(ref _running) == 1, Enough, "it runs");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow.WaitAsync(Enough));
        var error = await Assert.ThrowsAsync<ModelException>(() => Load("slow").WaitAsync(Enough));
        Assert.Contains("has not ended", error.Message, StringComparison.Ordinal);

        _end.Set();
        await Eventually.Async(async () => await Load("slow") == "slow", Enough, "it is loaded");
    }

    public void Dispose()
    {
        // Threads of loads may still wait for it.
        _end.Set();
    }

    private Task<string> Load(string model, bool isFirst = false) => Load(new ModelLoad(model, Long), isFirst);

    private Task<string> Load(ModelLoad load, bool isFirst = false) =>
        _loads.RunAsync(load, isFirst, () => load.Model, () => load.Model, static _ => { }, default);

    private Task<string> Hang(string model, TimeSpan limit, Action<string>? unwanted = null, string? content = null, CancellationToken cancellationToken = default) =>
        _loads.RunAsync(
            new ModelLoad(model, limit),
            isFirst: false,
            () => content ?? model,
            () =>
            {
                Interlocked.Increment(ref _running);
                _end.Wait(Long);
                Interlocked.Decrement(ref _running);
                return model;
            },
            unwanted ?? (static _ => { }),
            cancellationToken);
}
