using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Garnet;
using StackExchange.Redis;
using Xunit;

namespace Detection.Testing;

/// <summary>
/// A Redis on a free loopback port: <c>redis-server</c> when it is installed, otherwise the embedded Garnet.
/// Tests can stop it, restart it with or without its data, kill it and pause it.
/// </summary>
/// <example><code>
/// await using var redis = await RedisServer.StartAsync();
/// await using var connection = await redis.ConnectAsync();
/// </code></example>
public sealed class RedisServer : IRedisDeployment
{
    private static readonly string? Program = Executables.Find("redis-server");
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(20);

    private readonly RedisOptions _options;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("detection-redis-");
    private readonly RedisCertificate? _certificate;
    private ChildProcess? _process;
    private GarnetServer? _garnet;

    private RedisServer(RedisOptions options)
    {
        _options = options;
        IsReal = Program is not null && !options.Garnet;
        Port = options.Port ?? LoopbackPorts.Next();
        ClusterPort = options.Cluster ? LoopbackPorts.Next() : 0;
        _certificate = options.Tls ? RedisCertificate.Create(_folder.FullName) : null;
    }

    /// <summary>Whether <c>redis-server</c> is installed.</summary>
    public static bool IsInstalled => Program is not null;

    /// <summary>Whether this server is redis-server, not Garnet.</summary>
    public bool IsReal { get; }

    /// <summary>The port on 127.0.0.1; it never changes.</summary>
    public int Port { get; }

    /// <summary>The port of the cluster bus; 0 when it is no cluster node.</summary>
    public int ClusterPort { get; }

    /// <summary>The process id of redis-server.</summary>
    public int ProcessId => Real().Id;

    /// <summary>Whether it is running.</summary>
    public bool IsRunning => _garnet is not null || _process is { HasExited: false };

    /// <summary>The value of <c>ConnectionStrings:redis</c>.</summary>
    public string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}")
        + (_options.Password is { } password ? $",password={password}" : "")
        + (_options.Tls ? ",ssl=true,sslHost=localhost" : "");

    /// <summary>
    /// Environment variables that a process needs to connect, besides the connection string: with TLS, the certificate to trust.
    /// </summary>
    public IReadOnlyDictionary<string, string?> ClientEnvironment => _certificate is null
        ? new Dictionary<string, string?>()
        : new Dictionary<string, string?> { ["SERedis_IssuerCertPath"] = _certificate.CertificatePath };

    public IReadOnlyList<RedisServer> Servers => [this];

    /// <summary>The last lines that redis-server wrote.</summary>
    public string Log => _process?.LogTail() ?? "";

    /// <summary>Skips the running test when redis-server is not installed, for features that Garnet lacks (pausing, persistent data, TLS, cluster).</summary>
    public static void SkipUnlessInstalled() => Assert.SkipUnless(IsInstalled, "redis-server is not installed.");

    /// <summary>Starts a server and waits until it answers PING.</summary>
    /// <exception cref="InvalidOperationException">
    /// It did not start; or <c>CI=true</c> and redis-server is not installed, so that a pipeline cannot silently test less.
    /// </exception>
    public static async Task<RedisServer> StartAsync(RedisOptions? options = null)
    {
        options ??= new RedisOptions();
        if (!IsInstalled && !options.Garnet && Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException("CI=true and redis-server is not installed: install it, .ci/run shows how.");
        }

        var server = new RedisServer(options);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Restarts it on the same port after <see cref="StopAsync"/> or <see cref="KillAsync"/>; waits for PING.</summary>
    /// <param name="keepData">Whether it keeps its written data; <see langword="false"/> starts empty.</param>
    public async Task StartAgainAsync(bool keepData = true)
    {
        if (IsRunning)
        {
            throw new InvalidOperationException("It runs already.");
        }

        var data = _folder.CreateSubdirectory("data");
        if (!keepData)
        {
            data.Delete(recursive: true);
            data.Create();
        }

        if (IsReal)
        {
            if (_process is not null)
            {
                await _process.DisposeAsync();
            }

            _process = ChildProcess.Start($"redis-server:{Port}", Program!, Arguments(data.FullName), workingDirectory: data.FullName);
        }
        else
        {
            _garnet = StartGarnet();
        }

        await Eventually.Async(AnswersPing, StartDeadline, $"Redis on port {Port} answers PING");
    }

    /// <summary>A graceful stop (SIGTERM): data are written first. Garnet keeps no data.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
        {
            await _process.StopAsync();
        }

        StopGarnet();
    }

    /// <summary>SIGKILL: only an append-only file survives. Garnet is stopped.</summary>
    public async Task KillAsync()
    {
        if (_process is not null)
        {
            await _process.KillAsync();
        }

        StopGarnet();
    }

    /// <summary>SIGSTOP: the server keeps its connections and does not answer. Not with Garnet, see <see cref="SkipUnlessInstalled"/>.</summary>
    public void Pause() => Real().Pause();

    /// <summary>Ends <see cref="Pause"/>.</summary>
    public void Resume() => Real().Resume();

    /// <summary>
    /// The commands that changed the data since the server was started empty, in its protocol. Needs <see cref="RedisOptions.AppendOnly"/>.
    /// </summary>
    public async Task<byte[]> ReadAppendOnlyFileAsync()
    {
        var content = new MemoryStream();
        foreach (var file in _folder.EnumerateFiles("*.aof", SearchOption.AllDirectories).OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            await using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            await stream.CopyToAsync(content);
        }

        return content.ToArray();
    }

    /// <summary>Connects a client, with admin commands allowed.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync() => ConnectAsync(ConnectionString);

    public async ValueTask DisposeAsync()
    {
        StopGarnet();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>What the server itself says in a section of <c>INFO</c>.</summary>
    /// <param name="section">Such as <c>replication</c>.</param>
    public async Task<string> InfoAsync(string section)
    {
        await using var connection = await ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"{ConnectionString},connectTimeout=1000"));
        return await connection.GetServer(connection.GetEndPoints()[0]).InfoRawAsync(section) ?? "";
    }

    /// <summary>Waits until it is a replica and has all data of its master.</summary>
    public Task FollowsAsync() => Eventually.Async(
        async () => (await InfoAsync("replication")).Contains("master_link_status:up", StringComparison.Ordinal),
        TimeSpan.FromSeconds(60),
        $"Redis on port {Port} replicates its master");

    internal async Task<ConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        options.AllowAdmin = true;
        if (_certificate is not null)
        {
            options.TrustIssuer(_certificate.CertificatePath);
        }

        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    private async Task<bool> AnswersPing(CancellationToken cancellation)
    {
        if (_process is { HasExited: true })
        {
            throw new ConditionHopelessException(_process.Failure("did not start").Message);
        }

        // A bare connection first: the client library, once refused, may take its whole connect timeout (5 s) to try again.
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port, cancellation);
        }

        await using var connection = await ConnectAsync().WaitAsync(cancellation);
        // Throws while the data are still being loaded.
        await connection.GetServer(connection.GetEndPoints()[0]).PingAsync().WaitAsync(cancellation);
        return true;
    }

    private List<string> Arguments(string data)
    {
        var port = Port.ToString(CultureInfo.InvariantCulture);
        // One save point a day apart: no snapshot while tests run, one at SIGTERM.
        List<string> arguments =
        [
            "--bind", "127.0.0.1", "--dir", data, "--save", "86400 1", "--daemonize", "no",
            // The default, everysec, holds a write back for up to two seconds while the disk is slow. The file must have what a client was told.
            "--appendonly", _options.AppendOnly ? "yes" : "no", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0",
        ];
        if (_certificate is null)
        {
            arguments.AddRange(["--port", port]);
        }
        else
        {
            arguments.AddRange(
            [
                "--port", "0", "--tls-port", port, "--tls-cert-file", _certificate.CertificatePath, "--tls-key-file", _certificate.KeyPath,
                "--tls-ca-cert-file", _certificate.CertificatePath, "--tls-auth-clients", "no",
            ]);
        }

        if (_options.Password is { } password)
        {
            arguments.AddRange(["--requirepass", password]);
        }

        if (_options.MaxMemory is { } memory)
        {
            arguments.AddRange(["--maxmemory", memory, "--maxmemory-policy", _options.MaxMemoryPolicy]);
        }

        if (_options.ReplicaOf is { } master)
        {
            arguments.AddRange(
                ["--replicaof", "127.0.0.1", master.ToString(CultureInfo.InvariantCulture), "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]);
        }

        if (_options.Cluster)
        {
            arguments.AddRange(
            [
                "--cluster-enabled", "yes", "--cluster-port", ClusterPort.ToString(CultureInfo.InvariantCulture),
                "--cluster-node-timeout", "2000", "--cluster-config-file", "nodes.conf",
            ]);
        }

        return arguments;
    }

    private GarnetServer StartGarnet()
    {
        if (_options.Tls || _options.Cluster || _options.AppendOnly || _options.ReplicaOf is not null)
        {
            throw new NotSupportedException("TLS, cluster mode, replication and kept data need redis-server; see SkipUnlessInstalled.");
        }

        List<string> arguments =
        [
            "--bind", "127.0.0.1", "--port", Port.ToString(CultureInfo.InvariantCulture), "--lua", "true", "--logger-level", "Error",
            "--memory", "128m", "--index", "16m", "--pubsub-pagesize", "4k",
        ];
        if (_options.Password is { } password)
        {
            arguments.AddRange(["--auth", "Password", "--password", password]);
        }

        var server = new GarnetServer([.. arguments]);
        server.Start();
        return server;
    }

    private void StopGarnet()
    {
        _garnet?.Dispose();
        _garnet = null;
    }

    private ChildProcess Real() => _process ?? throw new NotSupportedException("Garnet is no process of its own; see SkipUnlessInstalled.");
}
