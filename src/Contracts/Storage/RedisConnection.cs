using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>How this system connects to Redis, the same everywhere.</summary>
public static class RedisConnection
{
    /// <summary>
    /// Reads a StackExchange.Redis connection string: one server, several of a Redis Cluster, or Sentinels with <c>serviceName=</c>;
    /// <c>password=</c>, <c>ssl=true</c> and so on. What the string does not say is set so that an outage fails fast and heals by itself.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is not a connection string.</exception>
    public static ConfigurationOptions Parse(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var options = ConfigurationOptions.Parse(connectionString);

        // Keep trying instead of giving up at start; but a command given while disconnected fails at once.
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.ReconnectRetryPolicy = new LinearRetry(500);
        if (!HasOption(connectionString, "connectTimeout"))
        {
            options.ConnectTimeout = 2000;
        }

        if (!HasOption(connectionString, "asyncTimeout") && !HasOption(connectionString, "syncTimeout"))
        {
            options.SyncTimeout = options.AsyncTimeout = 3000;
        }

        if (!HasOption(connectionString, "keepAlive"))
        {
            options.KeepAlive = 5;
        }

        options.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        return options;
    }

    /// <summary>
    /// As <see cref="Parse"/>, for a connection that carries pictures: how long one may take depends on its size, which
    /// <see cref="PictureStore"/> knows and the library does not.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is not a connection string.</exception>
    internal static ConfigurationOptions ParseForPictures(string connectionString)
    {
        var options = Parse(connectionString);
        options.SyncTimeout = options.AsyncTimeout = (int)PictureStore.LongestTransfer.TotalMilliseconds;
        return options;
    }

    /// <summary>As <see cref="ParseForPictures"/>, for a picture memory, which knows a few commands and has no master to follow.</summary>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is not a connection string.</exception>
    internal static ConfigurationOptions ParseForPictureMemory(string connectionString)
    {
        var options = ParseForPictures(connectionString);
        options.CommandMap = CommandMap.Create([.. PictureMemoryCommands.Ordinary], available: true);
        options.TieBreaker = "";
        options.ConfigurationChannel = "";
        return options;
    }

    /// <summary>
    /// Whether <paramref name="exception"/> says that Redis cannot be reached or does not answer, which passes. (The library's
    /// timeout is not a <see cref="RedisException"/>.)
    /// </summary>
    public static bool IsOutage(Exception exception) => exception is RedisException or RedisTimeoutException;

    /// <summary>
    /// What callers may know of an outage (<see cref="IsOutage"/>): that Redis does not answer, or which error it answers. The rest of an
    /// answer, which may name keys and scripts, is for logs.
    /// </summary>
    public static string Explain(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception is RedisServerException
            ? $"Redis answers with an error ({exception.Message.Split(' ', 2)[0].TrimEnd(':')})."
            : "Redis cannot be reached.";
    }

    /// <summary>
    /// Whether <paramref name="exception"/> says that Redis has no memory left for what was to be written. It serves what needs none.
    /// </summary>
    public static bool IsFull(Exception? exception) => Tells(exception, "OOM command not allowed");

    /// <summary>Whether <paramref name="exception"/> says that the caller's share of a picture memory is used.</summary>
    public static bool IsShareUsed(Exception? exception) => Tells(exception, PictureMemoryCommands.ShareUsed);

    /// <summary>Whether <paramref name="exception"/> says that a picture memory takes nothing because there is no room for requests.</summary>
    public static bool IsClosed(Exception? exception) => Tells(exception, PictureMemoryCommands.Closed);

    /// <summary>The time of Redis; see <see cref="ClusterClock"/>.</summary>
    public static async Task<DateTimeOffset> TellTimeAsync(this IDatabaseAsync database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var time = (RedisResult[])(await database.ExecuteAsync("TIME"))!;
        return DateTimeOffset.FromUnixTimeSeconds((long)time[0]).AddMicroseconds((long)time[1]);
    }

    private static bool Tells(Exception? exception, string text)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            // Orleans gives the text on, not always the exception.
            if (exception.Message.Contains(text, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasOption(string connectionString, string option) =>
        connectionString.Contains(option + "=", StringComparison.OrdinalIgnoreCase);
}
