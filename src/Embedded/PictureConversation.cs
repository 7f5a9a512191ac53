using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Detection.Contracts.Storage;

namespace Detection.Embedded;

/// <summary>One connection to the picture memory that has sent the password: commands are read, executed and answered one after another.</summary>
internal sealed class PictureConversation(Socket socket, PictureMemory memory)
{
    private const int MostParts = 8;
    private const int LongestPart = 1024;

    /// <summary>Time limit for sending or receiving a picture, because its memory is reserved.</summary>
    private static readonly TimeSpan PictureTimeout = TimeSpan.FromSeconds(60);

    private readonly RespReader _reader = new(socket);
    private readonly StringBuilder _replies = new();

    /// <summary>Serves the connection until it ends.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a command, but for example an HTTP request.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (await _reader.ReadCountAsync(stopping) is { } parts)
        {
            if (parts is 0 or > MostParts)
            {
                throw new InvalidDataException();
            }

            var open = await ExecuteAsync(parts, stopping);
            if (!open || !_reader.HasMore)
            {
                await FlushAsync(stopping);
            }

            if (!open)
            {
                return;
            }
        }
    }

    private async Task<bool> ExecuteAsync(int parts, CancellationToken cancellationToken)
    {
        var command = (await _reader.ReadTextAsync(LongestPart, cancellationToken)).ToUpperInvariant();
        if (command == PictureMemoryCommands.Store && parts == 5)
        {
            await StoreAsync(cancellationToken);
            return true;
        }

        var arguments = new string[parts - 1];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = await _reader.ReadTextAsync(LongestPart, cancellationToken);
        }

        if (command == "QUIT")
        {
            _replies.Append("+OK\r\n");
            return false;
        }

        if (command == "GET" && arguments.Length == 1)
        {
            await GetAsync(arguments[0], cancellationToken);
        }
        else
        {
            Answer(command, arguments);
        }

        return true;
    }

    /// <summary><see cref="PictureMemoryCommands.Store"/>: the bytes are read from the socket directly into their blocks.</summary>
    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        var key = await _reader.ReadTextAsync(LongestPart, cancellationToken);
        var expiry = Time(1, await _reader.ReadTextAsync(LongestPart, cancellationToken)) ?? throw new InvalidDataException();
        var caller = await _reader.ReadTextAsync(LongestPart, cancellationToken);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(PictureTimeout);
        var length = await _reader.ReadLengthAsync(timeout.Token);
        var isThere = memory.AddAgain(key, expiry, caller);
        PictureBytes? bytes = null;
        var room = isThere ? PictureRoom.Free : memory.Reserve(length, caller, out bytes);
        try
        {
            await ReadAsync(bytes, length, timeout.Token);
            if (bytes is not null)
            {
                isThere = !memory.Add(key, bytes, expiry, caller);
                bytes = null;
            }

            _replies.Append(isThere ? "$-1\r\n" : Reply(room));
        }
        finally
        {
            if (bytes is not null)
            {
                memory.Cancel(bytes, caller);
            }
        }
    }

    /// <summary>Reads a part into its blocks, or skips it where there are none.</summary>
    private async Task ReadAsync(PictureBytes? bytes, int length, CancellationToken cancellationToken)
    {
        for (var i = 0; i < bytes?.Blocks.Length; i++)
        {
            await _reader.ReadAsync(bytes.Part(i), cancellationToken);
        }

        await _reader.SkipAsync(bytes is null ? length : 0, cancellationToken);
        await _reader.EndPartAsync(cancellationToken);
    }

    private static string Reply(PictureRoom room) => room switch
    {
        PictureRoom.Full => $"-{PictureMemoryCommands.Full}\r\n",
        PictureRoom.ShareUsed => $"-{PictureMemoryCommands.ShareUsed}\r\n",
        PictureRoom.Closed => $"-{PictureMemoryCommands.Closed}\r\n",
        _ => "+OK\r\n",
    };

    private async Task GetAsync(string key, CancellationToken cancellationToken)
    {
        if (memory.Read(key) is not { } bytes)
        {
            _replies.Append("$-1\r\n");
            return;
        }

        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(PictureTimeout);
            _replies.Append(CultureInfo.InvariantCulture, $"${bytes.Length}\r\n");
            await FlushAsync(timeout.Token);
            for (var i = 0; i < bytes.Blocks.Length; i++)
            {
                await SendAsync(bytes.Part(i), timeout.Token);
            }

            _replies.Append("\r\n");
        }
        finally
        {
            memory.Leave(bytes);
        }
    }

    private void Answer(string command, string[] arguments)
    {
        switch (command, arguments.Length)
        {
            case ("AUTH", 1 or 2):
                // The gate has already checked the password.
                _replies.Append("+OK\r\n");
                break;
            case ("PING", 0):
                _replies.Append("+PONG\r\n");
                break;
            case ("PING" or "ECHO", 1):
                _replies.Append(CultureInfo.InvariantCulture, $"${arguments[0].Length}\r\n{arguments[0]}\r\n");
                break;
            case ("DBSIZE", 0):
                Number(memory.Count);
                break;
            case ("STRLEN", 1):
                Number(memory.Look(arguments[0])?.Length ?? 0);
                break;
            case ("EXISTS", 1):
                Number(memory.Look(arguments[0]) is null ? 0 : 1);
                break;
            case ("PTTL", 1):
                Number(memory.Look(arguments[0]) is { } there ? (long)there.Left.TotalMilliseconds : -2);
                break;
            case ("DEL", 1):
                Number(memory.Remove(arguments[0]) ? 1 : 0);
                break;
            case ("PEXPIRE" or "EXPIRE", 2 or 3) when Time(command == "EXPIRE" ? 1000 : 1, arguments[1]) is { } expiry:
                Number(memory.Expire(arguments[0], expiry, onlyLater: arguments.Length == 3 && arguments[2].Equals("GT", StringComparison.OrdinalIgnoreCase)) ? 1 : 0);
                break;
            case (PictureMemoryCommands.Keep, 3) when Time(1, arguments[1]) is { } expiry:
                Number(memory.Keep(arguments[0], expiry, arguments[2]) ? 1 : 0);
                break;
            case (PictureMemoryCommands.Release, 2):
                Number(memory.Release(arguments[0], arguments[1]) ? 1 : 0);
                break;
            case (PictureMemoryCommands.RemoveUnaccepted, 1):
                Number(memory.RemoveUnaccepted(arguments[0]) ? 1 : 0);
                break;
            default:
                _replies.Append("-ERR unknown command, or wrong arguments\r\n");
                break;
        }
    }

    private void Number(long number) => _replies.Append(CultureInfo.InvariantCulture, $":{number}\r\n");

    private static TimeSpan? Time(int milliseconds, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? TimeSpan.FromMilliseconds((long)number * milliseconds)
            : null;

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_replies.Length > 0)
        {
            var bytes = Encoding.Latin1.GetBytes(_replies.ToString());
            _replies.Clear();
            await SendAsync(bytes, cancellationToken);
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
        }
    }
}
