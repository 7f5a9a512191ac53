using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>Channels that wake the processes which do the work that another process has written into Redis.</summary>
public static class WakeUps
{
    /// <summary>Calls <paramref name="wake"/> at every message of a channel, until the subscription is disposed.</summary>
    public static async Task<IAsyncDisposable> SubscribeAsync(IConnectionMultiplexer redis, string channel, Action wake)
    {
        var messages = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel));
        messages.OnMessage(_ => wake());
        return new Subscription(messages);
    }

    private sealed class Subscription(ChannelMessageQueue messages) : IAsyncDisposable
    {
        // Does not wait for the answer: a subscription may end because Redis does not answer.
        public async ValueTask DisposeAsync() => await messages.UnsubscribeAsync(CommandFlags.FireAndForget);
    }
}
