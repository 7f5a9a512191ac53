using StackExchange.Redis;

namespace Detection.Contracts.Storage;

/// <summary>How all processes connect to Redis.</summary>
public static class RedisConnection
{
    /// <summary>
    /// Reads a StackExchange.Redis connection string: one server, several of a Redis Cluster, or Sentinels with <c>serviceName=</c>;
    /// <c>password=</c>, <c>ssl=true</c> and so on. Options that the string leaves out are set so that commands fail fast during an outage and
    /// connections recover by themselves.
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

    /// <summary>What is wrong with a connection string, in one sentence; <see langword="null"/> for one that can be used.</summary>
    /// <param name="name">Its name. The sentence names the setting but not its value, which may contain a password.</param>
    /// <param name="connectionString">The connection string.</param>
    public static string? FindFault(string name, string connectionString)
    {
        try
        {
            return Parse(connectionString).EndPoints.Count > 0 ? null : Sentence("It names no server.");
        }
        catch (ArgumentOutOfRangeException e) when (e.ParamName == "port")
        {
            return Sentence("A port is not from 0 to 65535.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            // Without the name of the parameter in the code of the library.
            return Sentence(e.Message.Split(" (Parameter ")[0]);
        }

        string Sentence(string reason) => $"The setting 'ConnectionStrings:{name}' cannot be read: {reason}";
    }

    /// <summary>
    /// As <see cref="Parse"/>, for a connection that transfers pictures. The time limit of a transfer depends on its size, which
    /// <see cref="PictureStore"/> knows and the library does not.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is not a connection string.</exception>
    internal static ConfigurationOptions ParseForPictures(string connectionString)
    {
        var options = Parse(connectionString);
        options.SyncTimeout = options.AsyncTimeout = (int)PictureStore.LongestTransfer.TotalMilliseconds;
        return options;
    }

    /// <summary>As <see cref="ParseForPictures"/>, for a picture memory, which supports a few commands and has no Sentinels.</summary>
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
    /// Whether <paramref name="exception"/> means that Redis cannot be reached or does not answer, which is temporary. The library's timeout is not a
    /// <see cref="RedisException"/>.
    /// </summary>
    public static bool IsOutage(Exception exception) => exception is RedisException or RedisTimeoutException;

    /// <summary>
    /// The part of an outage's message (<see cref="IsOutage"/>) that callers may see: that Redis does not answer, or which error it returns. The rest
    /// may contain keys and scripts, and is for logs.
    /// </summary>
    public static string Explain(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception is RedisServerException
            ? $"Redis answers with an error ({exception.Message.Split(' ', 2)[0].TrimEnd(':')})."
            : "Redis cannot be reached.";
    }

    /// <summary>Whether <paramref name="exception"/> means that Redis has no memory left for a write. Other commands still work.</summary>
    public static bool IsFull(Exception? exception) => HasText(exception, "OOM command not allowed");

    /// <summary>Whether <paramref name="exception"/> means that the caller's share of a picture memory is used.</summary>
    public static bool IsShareUsed(Exception? exception) => HasText(exception, PictureMemoryCommands.ShareUsed);

    /// <summary>Whether <paramref name="exception"/> means that a picture memory accepts nothing because there is no room for requests.</summary>
    public static bool IsClosed(Exception? exception) => HasText(exception, PictureMemoryCommands.Closed);

    /// <summary>The time of Redis; see <see cref="ClusterClock"/>.</summary>
    public static async Task<DateTimeOffset> ReadTimeAsync(this IDatabaseAsync database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var time = (RedisResult[])(await database.ExecuteAsync("TIME"))!;
        return DateTimeOffset.FromUnixTimeSeconds((long)time[0]).AddMicroseconds((long)time[1]);
    }

    private static bool HasText(Exception? exception, string text)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            // Orleans keeps the text, but not always the type of the exception.
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
