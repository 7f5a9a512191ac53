using System.Security.Cryptography;

namespace Detection.Embedded;

/// <summary>The stores of an embedded cluster in this process: the Redis-compatible server, and a separate store for the pictures.</summary>
internal sealed class EmbeddedStores : IDisposable
{
    private readonly PictureServer _server;

    private EmbeddedStores(EmbeddedRedis redis, PictureMemory pictures, PictureServer server)
    {
        Redis = redis;
        Pictures = pictures;
        _server = server;
    }

    public EmbeddedRedis Redis { get; }

    public PictureMemory Pictures { get; }

    /// <summary>Contains the password: for this process only, never for a log.</summary>
    public string PicturesConnectionString => _server.ConnectionString;

    public int PicturesPort => _server.Port;

    public static EmbeddedStores Start(EmbeddedOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var password = options.RedisPassword ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var redis = EmbeddedRedis.Start(options, password, time, loggers);
        var pictures = new PictureMemory((long)options.PictureMemoryMegabytes * 1024 * 1024, options.CallerPictureShare, time);
        try
        {
            return new EmbeddedStores(redis, pictures, PictureServer.Start(pictures, options.PicturePort, password, time, loggers));
        }
        catch
        {
            pictures.Dispose();
            redis.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        Pictures.Dispose();
        Redis.Dispose();
    }
}
