namespace Detection.Testing.Tests;

public sealed class EventuallyTests
{
    [Fact]
    public async Task Eventually_asks_until_the_condition_holds_and_retries_after_an_exception()
    {
        var asked = 0;
        await Eventually.Async(
            () => ++asked switch { 1 => throw new InvalidOperationException("not yet"), 2 => false, _ => true },
            Eventually.Soon,
            "the third answer is yes");
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task At_the_deadline_it_says_what_did_not_happen_and_why()
    {
        var timeout = await Assert.ThrowsAsync<TimeoutException>(() => Eventually.Async(
            () => throw new InvalidOperationException("the reason"), TimeSpan.FromMilliseconds(50), "pigs fly"));
        Assert.Contains("Not within 0.05 s: pigs fly.", timeout.Message, StringComparison.Ordinal);
        Assert.Contains("the reason", timeout.Message, StringComparison.Ordinal);
        Assert.IsType<InvalidOperationException>(timeout.InnerException);
    }

    [Fact]
    public async Task A_condition_that_hangs_does_not_outlive_the_deadline() =>
        await Assert.ThrowsAsync<TimeoutException>(() => Eventually.Async(
            () => new TaskCompletionSource<bool>().Task, TimeSpan.FromMilliseconds(50), "it answers"));

    [Fact]
    public async Task A_hopeless_condition_ends_the_wait_at_once() =>
        await Assert.ThrowsAsync<ConditionHopelessException>(() => Eventually.Async(
            () => throw new ConditionHopelessException("it is dead"), TimeSpan.FromHours(1), "it lives"));
}
