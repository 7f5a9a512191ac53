using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Detection.Fetching.Tests;

/// <summary>A name server on loopback, over UDP and TCP on one port. It encodes its messages itself, according to RFC 1035.</summary>
internal sealed class NameServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly TcpListener _tcp;
    private readonly Func<Question, Reply?> _answer;

    /// <summary>Starts the server.</summary>
    /// <param name="answer">Answers a query; <see langword="null"/> for no answer.</param>
    public NameServer(Func<Question, Reply?> answer)
    {
        _answer = answer;
        _tcp = new TcpListener(IPAddress.Loopback, 0);
        _tcp.Start();
        Port = ((IPEndPoint)_tcp.LocalEndpoint).Port;
        _udp.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _ = ServeUdpAsync();
        _ = ServeTcpAsync();
    }

    public int Port { get; }

    /// <summary>Its address, for the setting.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Queries as <c>udp A name</c>.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>A server that knows these names and reports that all others do not exist.</summary>
    public static NameServer Knowing(params (string Name, string Address)[] names) => new(question =>
    {
        string[] addresses = [.. names.Where(known => known.Name == question.Name).Select(static known => known.Address)];
        return new Reply(addresses.Length > 0 ? 0 : Reply.NoSuchName, [.. addresses.Select(IPAddress.Parse)]);
    });

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                var received = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _ended.Token);
                var query = buffer[..received.ReceivedBytes];
                _ = Task.Run(async () =>
                {
                    if (await AnswerAsync(query, "udp") is { } reply)
                    {
                        await _udp.SendToAsync(reply, received.RemoteEndPoint);
                    }
                });
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                var client = await _tcp.AcceptTcpClientAsync(_ended.Token);
                _ = Task.Run(async () =>
                {
                    using (client)
                    {
                        var stream = client.GetStream();
                        var length = new byte[2];
                        while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, _ended.Token) == 2)
                        {
                            var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                            await stream.ReadExactlyAsync(query, _ended.Token);
                            if (await AnswerAsync(query, "tcp") is { } reply)
                            {
                                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)reply.Length);
                                await stream.WriteAsync((byte[])[.. length, .. reply], _ended.Token);
                            }
                        }
                    }
                });
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task<byte[]?> AnswerAsync(byte[] query, string transport)
    {
        var at = 12;
        var labels = new List<string>();
        for (; query[at] != 0; at += query[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1));
        var question = new Question(string.Join('.', labels).ToLowerInvariant(), type == 1 ? "A" : type == 28 ? "AAAA" : $"{type}", transport);
        Asked.Enqueue($"{transport} {question.Type} {question.Name}");
        if (_answer(question) is not { } reply)
        {
            return null;
        }

        await Task.Delay(reply.After, _ended.Token);
        return reply.Raw ?? Write(query.AsSpan(0, 2), query.AsSpan(12, at + 5 - 12), type, reply);
    }

    private static byte[] Write(ReadOnlySpan<byte> id, ReadOnlySpan<byte> question, ushort type, Reply reply)
    {
        IPAddress[] addresses = [.. reply.Addresses.Where(address => address.AddressFamily == (type == 28 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork))];
        if (reply.Truncated)
        {
            addresses = [];
        }

        using var message = new MemoryStream();
        message.Write(id);
        var records = addresses.Length + reply.Aliases.Count;
        message.Write([(byte)(reply.Truncated ? 0x86 : 0x84), (byte)(0x80 | reply.Code), 0, 1, (byte)(records >> 8), (byte)records, 0, 0, 0, 0]);
        message.Write(question);
        byte[] asked = [0xC0, 12];
        foreach (var (name, target) in reply.Aliases)
        {
            Record(name is null ? asked : Encode(name), 5, Encode(target));
        }

        foreach (var address in addresses)
        {
            Record(reply.Owner is null ? asked : Encode(reply.Owner), type, address.GetAddressBytes());
        }

        void Record(byte[] owner, ushort kind, byte[] data)
        {
            Span<byte> head = [(byte)(kind >> 8), (byte)kind, 0, 1, 0, 0, 0, 0, 0, (byte)data.Length];
            BinaryPrimitives.WriteInt32BigEndian(head[4..], reply.Lifetime);
            message.Write(owner);
            message.Write(head);
            message.Write(data);
        }

        return message.ToArray()[..(int)(reply.BreaksOff && addresses.Length > 0 ? message.Length - 3 : message.Length)];
    }

    private static byte[] Encode(string name) => [.. name.Split('.').SelectMany(static label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];
}

/// <summary>A query.</summary>
internal sealed record Question(string Name, string Type, string Transport);

/// <summary>An answer; addresses of the other kind are left out.</summary>
internal sealed record Reply(int Code, params IPAddress[] Addresses)
{
    public const int ServerFailure = 2;

    public const int NoSuchName = 3;

    public TimeSpan After { get; init; }

    public bool Truncated { get; init; }

    /// <summary>Its last bytes are missing, without the truncated flag.</summary>
    public bool BreaksOff { get; init; }

    public int Lifetime { get; init; } = 30;

    /// <summary>The name of the addresses; <see langword="null"/> for the queried name.</summary>
    public string? Owner { get; init; }

    /// <summary>Aliases and their names; <see langword="null"/> is the queried name.</summary>
    public IReadOnlyList<(string? Name, string Target)> Aliases { get; init; } = [];

    /// <summary>Sends these bytes instead of a message.</summary>
    public byte[]? Raw { get; init; }
}
