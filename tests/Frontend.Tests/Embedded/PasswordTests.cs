using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Embedded;

/// <summary>The embedded server refuses clients without its password.</summary>
public sealed class PasswordTests(OneProcess frontend) : IClassFixture<OneProcess>
{
    private const string Key = "written-without-a-password";

    public static readonly TheoryData<string> Writes =
    [
        $"SET {Key} 1\r\n",
        $"*3\r\n$3\r\nSET\r\n${Key.Length}\r\n{Key}\r\n$1\r\n1\r\n",
        $"AUTH default\r\nSET {Key} 1\r\n",
        $"*4\r\n$4\r\nEVAL\r\n$41\r\nreturn redis.call('SET', 'x', 'y') or true\r\n$1\r\n0\r\n",
        "CONFIG SET requirepass x\r\nFLUSHALL\r\n",
        $"HELLO 3\r\nSET {Key} 1\r\n",
    ];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Commands_without_the_password_are_refused(string commands)
    {
        var before = await KeysAsync();

        await SendAsync(commands);

        await NothingHappenedAsync(before);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Body_of_an_HTTP_request_runs_no_Redis_command(string commands)
    {
        var before = await KeysAsync();
        var body = Encoding.ASCII.GetBytes(commands);

        // The request of fetch(url, { method: 'POST', mode: 'no-cors', body }).
        await SendAsync($"POST / HTTP/1.1\r\nHost: 127.0.0.1:{frontend.RedisPort}\r\nOrigin: http://elsewhere.example\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {body.Length}\r\n\r\n{commands}");

        await NothingHappenedAsync(before);
    }

    [Fact]
    public async Task The_password_is_in_no_log()
    {
        Assert.DoesNotContain(DetectionSettings.SomePassword, frontend.Process.Process.Log, StringComparison.Ordinal);
        await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(771))).AnswerAsync();
        Assert.DoesNotContain(DetectionSettings.SomePassword, frontend.Process.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_without_the_setting_is_random()
    {
        var port = LoopbackPorts.Next();
        await using var process = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__Embedded__RedisPort"] = port.ToString(CultureInfo.InvariantCulture),
        });
        await process.ReadyAsync();

        const string get = "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n";
        var answer = await SendAsync($"{get}*2\r\n$4\r\nAUTH\r\n${DetectionSettings.SomePassword.Length}\r\n{DetectionSettings.SomePassword}\r\n{get}", port);

        Assert.Contains("NOAUTH", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("$-1", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("+OK", answer, StringComparison.Ordinal);
        await process.Http.PostAsync(Asking.Form(TestPictures.Unique(772))).AnswerAsync();
    }

    private async Task NothingHappenedAsync(IReadOnlySet<string> before)
    {
        var after = await KeysAsync();
        Assert.DoesNotContain(Key, after);
        Assert.DoesNotContain("x", after);
        Assert.Subset(after.ToHashSet(), before.Where(static name => name.EndsWith(":members", StringComparison.Ordinal)).ToHashSet());
        Assert.Equal(HttpStatusCode.OK, (await frontend.Http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
    }

    private Task<string> SendAsync(string text) => SendAsync(text, frontend.RedisPort);

    /// <summary>Sends bytes and reads until the server is silent for a moment or closes the connection.</summary>
    private static async Task<string> SendAsync(string text, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(text));
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                using var pause = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                var read = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, pause.Token);
                if (read == 0)
                {
                    break;
                }

                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The server is silent.
        }

        return answer.ToString();
    }

    private async Task<IReadOnlySet<string>> KeysAsync()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));
        var names = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var key in redis.GetServers()[0].KeysAsync())
        {
            names.Add(key.ToString());
        }

        return names;
    }
}
