using Detection.Contracts.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Scheduling;

public sealed class PeriodicWorkTests
{
    [Fact]
    public async Task Failed_round_is_followed_by_the_next_after_any_error()
    {
        using var stop = new CancellationTokenSource();
        var errors = new Queue<Exception>(
        [
            new InvalidCastException(),
            new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.None, "away"),
            new RedisTimeoutException(CommandFlags.None, "late", CommandStatus.Sent),
            new OperationCanceledException(),
            new FormatException(),
        ]);
        var outages = new List<string>();
        var good = 0;
        var work = new PeriodicWork(TimeSpan.FromMilliseconds(5), TimeProvider.System, NullLogger.Instance);

        var ended = await Record.ExceptionAsync(() => work.RunAsync(
            async _ =>
            {
                await Task.Yield();
                if (errors.TryDequeue(out var error))
                {
                    throw error;
                }

                if (++good == 3)
                {
                    await stop.CancelAsync();
                }
            },
            outages.Add,
            stop.Token));

        Assert.IsAssignableFrom<OperationCanceledException>(ended);
        Assert.Equal(3, good);
        Assert.Equal(["away", "late"], outages);
    }
}
