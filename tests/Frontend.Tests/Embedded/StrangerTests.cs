using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>A program on the machine without the password can use some kilobytes of the stores for some seconds, and no more.</summary>
public sealed class StrangerTests(OneProcess frontend)
{
    private const int Megabyte = 1024 * 1024;
    private const string Refused = "did not begin with its password";

    private static readonly string Auth = $"*2\r\n$4\r\nAUTH\r\n${DetectionSettings.SomePassword.Length}\r\n{DetectionSettings.SomePassword}\r\n";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static MatrixTheoryData<string, string> Endless() => new(
        ["server", "pictures"],
        [
            "",
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 300000000\r\n\r\n",
            "*1\r\n$500000000\r\n",
            "*1\r\n$4\r\nPING\r\n",
            "*2\r\n$4\r\nAUTH\r\n$500000000\r\n",
            "*2\r\n$4\r\nAUTH\r\n$0000000000000000000",
            "*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$500000000\r\n",
        ]);

    [Theory]
    [MemberData(nameof(Endless))]
    public async Task Connection_without_password_is_closed_after_some_kilobytes(string store, string begin)
    {
        var logged = Log.Length;
        using var socket = await ConnectAsync(PortOf(store));

        var taken = await SendUntilEndedAsync(socket, begin, 256 * Megabyte);

        // All bytes but a kilobyte are in the buffers of the two sockets.
        Assert.InRange(taken, 0, 32 * Megabyte);
        Assert.DoesNotContain("crit:", Log[logged..], StringComparison.Ordinal);
        Assert.Equal("+OK\r\n+PONG\r\n", await SayAsync(PortOf(store), $"{Auth}*1\r\n$4\r\nPING\r\n", 2));
    }

    [Theory]
    [InlineData("*-1\r\n")]
    [InlineData("$-5\r\n")]
    [InlineData("*0\r\n")]
    [InlineData("*9\r\n")]
    [InlineData("*1\r\n$-1\r\n")]
    [InlineData("*2\r\n$4\r\nAUTHx\r\n$1\r\nx\r\n")]
    [InlineData("\0\0\0\0\r\n")]
    public async Task Invalid_command_ends_the_connection_and_writes_no_stack_trace(string said)
    {
        var logged = Log.Length;
        foreach (var port in new[] { frontend.RedisPort, frontend.PicturePort })
        {
            using var socket = await ConnectAsync(port);
            await socket.SendAsync(Encoding.Latin1.GetBytes(said));
            await EndAsync(socket);
            Assert.Equal("+OK\r\n", await SayAsync(port, Auth, 1));
        }

        Assert.DoesNotContain("crit:", Log[logged..], StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", Log[logged..], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*2\r\n$4\r\nAUTH\r\n$20\r\nhalf")]
    public async Task Connection_that_stops_sending_is_closed(string said)
    {
        using var server = await ConnectAsync(frontend.RedisPort);
        using var pictures = await ConnectAsync(frontend.PicturePort);
        await server.SendAsync(Encoding.ASCII.GetBytes(said));
        await pictures.SendAsync(Encoding.ASCII.GetBytes(said));

        await EndAsync(server);
        await EndAsync(pictures);
    }

    [Theory]
    [InlineData("server", 1)]
    [InlineData("server", 7)]
    [InlineData("pictures", 1)]
    [InlineData("pictures", 7)]
    public async Task Password_is_read_in_pieces_with_commands_after_it(string store, int piece)
    {
        using var socket = await ConnectAsync(PortOf(store));
        foreach (var part in Encoding.ASCII.GetBytes($"{Auth}*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n").Chunk(piece))
        {
            await socket.SendAsync(part);
            await Task.Yield();
        }

        Assert.Equal("+OK\r\n$3\r\nabc\r\n", await ReadAsync(socket, 3));
    }

    [Theory]
    [InlineData(RedisProtocol.Resp2, null)]
    [InlineData(RedisProtocol.Resp3, null)]
    [InlineData(RedisProtocol.Resp3, "default")]
    public async Task Clients_of_both_Redis_protocols_connect(RedisProtocol protocol, string? user)
    {
        var options = ConfigurationOptions.Parse(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));
        options.Protocol = protocol;
        options.User = user;
        options.AllowAdmin = true;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(options);

        await redis.GetDatabase().StringSetAsync("stranger", protocol.ToString(), TimeSpan.FromMinutes(1));

        Assert.Equal(protocol.ToString(), await redis.GetDatabase().StringGetAsync("stranger"));
        Assert.Contains("redis_version", await redis.GetServers()[0].InfoRawAsync(), StringComparison.Ordinal);
    }

    /// <summary>Clients with the password are trusted, but an endless command would use endless memory.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$500000000\r\n")]
    public async Task Command_after_the_password_has_a_maximum_length(string begin)
    {
        using var socket = await ConnectAsync(frontend.RedisPort);

        var taken = await SendUntilEndedAsync(socket, Auth + begin, 512L * Megabyte);

        Assert.InRange(taken, 60 * Megabyte, 128 * Megabyte);
        Assert.Equal("+OK\r\n+PONG\r\n", await SayAsync(frontend.RedisPort, $"{Auth}*1\r\n$4\r\nPING\r\n", 2));
    }

    [Fact]
    public async Task Many_waiting_connections_do_not_block_one_with_the_password_and_are_logged_in_one_line()
    {
        const int many = 1000;
        var (lines, began) = (RefusedLines(), Stopwatch.GetTimestamp());
        var waiting = new List<Socket>();
        try
        {
            for (var i = 0; i < many; i++)
            {
                waiting.Add(await ConnectAsync(frontend.RedisPort));
                waiting.Add(await ConnectAsync(frontend.PicturePort));
            }

            for (var i = 0; i < 10; i++)
            {
                Assert.Equal("+OK\r\n+PONG\r\n", await SayAsync(frontend.RedisPort, $"{Auth}*1\r\n$4\r\nPING\r\n", 2));
                Assert.Equal("+OK\r\n+PONG\r\n", await SayAsync(frontend.PicturePort, $"{Auth}*1\r\n$4\r\nPING\r\n", 2));
            }

            Assert.NotEmpty((await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(7801))).AnswerAsync()).GetProperty("boxes").EnumerateArray());
            await Task.WhenAll(waiting.Select(EndAsync));
        }
        finally
        {
            waiting.ForEach(static socket => socket.Dispose());
        }

        // One a minute for each of the two stores.
        Assert.InRange(RefusedLines() - lines, 0, 2 * (1 + (int)Math.Ceiling(Stopwatch.GetElapsedTime(began).TotalMinutes)));
        Assert.InRange(RefusedLines(), 2, int.MaxValue);
    }

    private string Log => frontend.Process.Process.Log;

    private int RefusedLines() => Log.Split('\n').Count(static line => line.Contains(Refused, StringComparison.Ordinal));

    private int PortOf(string store) => store == "server" ? frontend.RedisPort : frontend.PicturePort;

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>Sends a start and then endless bytes. Returns how many bytes were sent until the other side closed the connection.</summary>
    private static async Task<long> SendUntilEndedAsync(Socket socket, string begin, long most)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var bytes = new byte[Megabyte];
        bytes.AsSpan().Fill((byte)'a');
        var taken = 0L;
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(begin), SocketFlags.None, deadline.Token);
            while (taken < most)
            {
                taken += await socket.SendAsync(bytes, SocketFlags.None, deadline.Token);
            }
        }
        catch (SocketException)
        {
            // Closed.
        }

        return taken;
    }

    /// <summary>Waits until a connection is closed.</summary>
    private static async Task EndAsync(Socket socket)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            while (await socket.ReceiveAsync(new byte[256], SocketFlags.None, deadline.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Closed with bytes that the server had not read.
        }
    }

    private static async Task<string> SayAsync(int port, string text, int lines)
    {
        using var socket = await ConnectAsync(port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(text));
        return await ReadAsync(socket, lines);
    }

    private static async Task<string> ReadAsync(Socket socket, int lines)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var buffer = new byte[256];
        var received = "";
        while (received.Count('\n') < lines && await socket.ReceiveAsync(buffer, SocketFlags.None, deadline.Token) is > 0 and var read)
        {
            received += Encoding.ASCII.GetString(buffer, 0, read);
        }

        return received;
    }
}
