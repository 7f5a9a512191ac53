using StackExchange.Redis;

namespace Detection.Testing.Tests;

public sealed class RedisServerTests
{
    private static readonly RedisOptions Embedded = new() { Garnet = true };

    [Fact]
    public async Task Data_written_before_an_orderly_stop_are_there_after_it()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync();
        await WriteAsync(redis, "kept");

        await redis.StopAsync();
        Assert.False(redis.IsRunning);
        await Assert.ThrowsAsync<RedisConnectionException>(redis.ConnectAsync);
        await redis.StartAgainAsync(keepData: true);

        Assert.Equal("kept", await ReadAsync(redis));
    }

    [Fact]
    public async Task Server_restarts_without_its_data()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync(new RedisOptions { AppendOnly = true });
        await WriteAsync(redis, "lost");

        await redis.StopAsync();
        await redis.StartAgainAsync(keepData: false);

        Assert.Null(await ReadAsync(redis));
    }

    [Theory]
    [InlineData(true, "written")]
    [InlineData(false, null)]
    public async Task Only_an_append_only_file_survives_a_kill(bool appendOnly, string? expected)
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync(new RedisOptions { AppendOnly = appendOnly });
        await WriteAsync(redis, "written");

        await redis.KillAsync();
        Assert.False(redis.IsRunning);
        await redis.StartAgainAsync();

        Assert.Equal(expected, await ReadAsync(redis));
    }

    [Fact]
    public async Task Paused_server_does_not_answer_and_resumed_server_continues()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();

        redis.Pause();
        // The command is sent at once and answered only after Resume; the client times out after some seconds.
        var write = connection.GetDatabase().StringSetAsync("key", "late");
        await Eventually.Async(() => ProcessState.Of(redis.ProcessId) == 'T', Eventually.Soon, "the process is stopped");
        Assert.False(write.IsCompleted);

        redis.Resume();
        Assert.True(await write.WaitAsync(Eventually.Soon, TestContext.Current.CancellationToken));
        Assert.Equal("late", await ReadAsync(redis));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_with_a_password_refuses_connections_without_it(bool garnet)
    {
        SkipUnlessInstalledOr(garnet);
        await using var redis = await RedisServer.StartAsync(new RedisOptions { Password = "secret word", Garnet = garnet });
        await WriteAsync(redis, "mine");
        Assert.Equal("mine", await ReadAsync(redis));

        await Assert.ThrowsAnyAsync<RedisException>(async () =>
        {
            await using var stranger = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{redis.Port}");
            await stranger.GetDatabase().StringGetAsync("key");
        });
    }

    [Fact]
    public async Task Tls_connection_string_works_with_a_trusted_certificate()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync(new RedisOptions { Tls = true, Password = "secret" });
        await WriteAsync(redis, "encrypted");
        Assert.Equal("encrypted", await ReadAsync(redis));

        Assert.Equal(["SERedis_IssuerCertPath"], redis.ClientEnvironment.Keys);
        // Refused without trust, and without TLS.
        await Assert.ThrowsAsync<RedisConnectionException>(() => ConnectionMultiplexer.ConnectAsync(redis.ConnectionString));
        await Assert.ThrowsAsync<RedisConnectionException>(
            () => ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{redis.Port},password=secret,connectTimeout=2000"));
    }

    [Fact]
    public async Task RedisServer_memory_limit_is_applied()
    {
        RedisServer.SkipUnlessInstalled();
        await using var redis = await RedisServer.StartAsync(new RedisOptions { MaxMemory = "4mb" });
        await using var connection = await redis.ConnectAsync();
        var refused = await Assert.ThrowsAsync<RedisServerException>(
            () => connection.GetDatabase().StringSetAsync("big", new byte[8 * 1024 * 1024]));
        Assert.StartsWith("OOM", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garnet_runs_scripts_and_restarts_empty()
    {
        await using var redis = await RedisServer.StartAsync(Embedded);
        Assert.False(redis.IsReal);
        await WriteAsync(redis, "gone");
        await using (var connection = await redis.ConnectAsync())
        {
            var answer = await connection.GetDatabase().ScriptEvaluateAsync(
                "redis.call('RPUSH', KEYS[1], ARGV[1]); return redis.call('LLEN', KEYS[1])", ["list"], ["item"]);
            Assert.Equal(1, (long)answer);
        }

        await redis.StopAsync();
        Assert.False(redis.IsRunning);
        await Assert.ThrowsAsync<RedisConnectionException>(redis.ConnectAsync);
        await redis.StartAgainAsync();

        Assert.Null(await ReadAsync(redis));
        Assert.Throws<NotSupportedException>(redis.Pause);
    }

    [Fact]
    public async Task A_cluster_forms_and_spreads_its_keys()
    {
        RedisServer.SkipUnlessInstalled();
        await using var cluster = await RedisCluster.StartAsync();
        await using var connection = await cluster.ConnectAsync();
        var database = connection.GetDatabase();

        for (var i = 0; i < 60; i++)
        {
            await database.StringSetAsync($"key{i}", i);
        }

        foreach (var node in cluster.Nodes)
        {
            Assert.InRange(await connection.GetServer("127.0.0.1", node.Port).DatabaseSizeAsync(), 1, 59);
        }

        // A script with keys of two slots is refused: the cluster checks the hash tags of our keys.
        await Assert.ThrowsAsync<RedisCommandException>(
            () => database.ScriptEvaluateAsync("return redis.call('MGET', KEYS[1], KEYS[2])", ["key1", "key2"]));
        Assert.NotNull((string[]?)await database.ScriptEvaluateAsync("return redis.call('MGET', KEYS[1], KEYS[2])", ["{m}1", "{m}2"]));
    }

    [Fact]
    public async Task RedisServer_dispose_removes_process_and_files()
    {
        RedisServer.SkipUnlessInstalled();
        int process;
        await using (var redis = await RedisServer.StartAsync())
        {
            process = redis.ProcessId;
            redis.Pause();
        }

        Assert.False(ProcessState.Exists(process));
    }

    private static void SkipUnlessInstalledOr(bool garnet) => Assert.SkipUnless(garnet || RedisServer.IsInstalled, "redis-server is not installed.");

    private static async Task WriteAsync(RedisServer redis, string value)
    {
        await using var connection = await redis.ConnectAsync();
        await connection.GetDatabase().StringSetAsync("key", value);
    }

    private static async Task<string?> ReadAsync(RedisServer redis)
    {
        await using var connection = await redis.ConnectAsync();
        return await connection.GetDatabase().StringGetAsync("key");
    }
}
