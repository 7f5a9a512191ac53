using Detection.Contracts.Storage;

namespace Detection.Grains.Tests.Storage;

public sealed class SteadyClockTests
{
    private static readonly DateTimeOffset Begin = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly SteppedTime _machine = new(Begin);

    [Theory]
    [InlineData(-3600)]
    [InlineData(-60)]
    [InlineData(7200)]
    public void Step_of_the_machine_clock_does_not_change_the_steady_clock(int step)
    {
        var clock = new SteadyClock(_machine);
        _machine.Pass(10);

        _machine.Step(step);

        Assert.Equal(Begin.AddSeconds(10), clock.GetUtcNow());
        _machine.Pass(5);
        Assert.Equal(Begin.AddSeconds(15), clock.GetUtcNow());
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(7200)]
    public void ClusterClock_continues_steadily_over_a_step(int step)
    {
        var clock = new ClusterClock(new SteadyClock(_machine));
        var redis = Begin.AddDays(1);
        clock.Set(redis, clock.GetTimestamp());
        var deadline = redis.AddSeconds(30);
        var local = clock.ToLocal(deadline);

        _machine.Step(step);
        _machine.Pass(10);

        Assert.Equal(redis.AddSeconds(10), clock.GetUtcNow());
        Assert.Equal(local, clock.ToLocal(deadline));
    }
}
