using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>Channels on which a process that writes work into Redis wakes those that do it.</summary>
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
        // Without waiting for the answer: a subscription may end because Redis does not answer.
        public async ValueTask DisposeAsync() => await messages.UnsubscribeAsync(CommandFlags.FireAndForget);
    }
}
