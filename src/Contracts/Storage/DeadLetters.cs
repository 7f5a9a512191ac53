using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>
/// Reads the dead letters that the scripts of the queue list (<see cref="RedisKeys.Dead"/>), and keeps some of their pictures. A picture that kills
/// processes is kept longer than others, so that an administrator can look at it. The number of these pictures is limited.
/// </summary>
/// <param name="connections">The process' connections.</param>
/// <param name="keys">Where the cluster lies in Redis.</param>
/// <param name="pictures">The pictures.</param>
public sealed class DeadLetters(RedisConnections connections, RedisKeys keys, PictureStore pictures)
{
    private const string Reserve = """
        -- Takes one of the places for pictures of dead letters, unless all are taken.
        -- KEYS  1 pictures that are kept
        -- ARGV  1 image key, 2 places, 3 lifetime in ms
        -- gives 1 when it has a place, otherwise 0
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
        if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
            return 0
        end
        redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        return 1
        """;

    /// <summary>The newest dead letters of all models, newest first.</summary>
    /// <param name="most">Maximum number of them.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<IReadOnlyList<DeadLetter>> ReadAsync(int most)
    {
        var database = (await connections.ConnectAsync()).GetDatabase();
        var now = await database.ReadTimeAsync();
        var letters = new List<DeadLetter>();
        foreach (var model in (await database.HashKeysAsync(keys.Models)).Select(static model => (string)model!))
        {
            var entries = await database.ListRangeAsync(keys.Dead(model), 0, most - 1);
            letters.AddRange(entries.Select(entry => DeadLetter.Read(model, (string)entry!)).OfType<DeadLetter>());
        }

        return await Task.WhenAll(letters.OrderByDescending(static letter => letter.At).Take(most).Select(async letter =>
            await pictures.TimeLeftAsync(letter.Key.ImageKey) is { } left ? letter with { PictureUntil = now + left } : letter));
    }

    /// <summary>Keeps the picture of a dead letter, unless <paramref name="most"/> are kept already or it has expired.</summary>
    /// <param name="imageKey">Its key.</param>
    /// <param name="most">Maximum number of pictures that are kept.</param>
    /// <param name="expiry">For how long.</param>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task KeepPictureAsync(string imageKey, int most, TimeSpan expiry)
    {
        var database = (await connections.ConnectAsync()).GetDatabase();
        if (most > 0 && (bool)await database.ScriptEvaluateAsync(Reserve, [keys.DeadPictures], [imageKey, most, (long)expiry.TotalMilliseconds]))
        {
            await pictures.KeepDeadLetterAsync(imageKey, expiry);
        }
    }
}
