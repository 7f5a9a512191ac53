using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace Detection.Embedded;

/// <summary>Reads commands of the Redis protocol (RESP, arrays of bulk strings) from a connection.</summary>
internal sealed class RespReader(Socket socket)
{
    private const int LongestLine = 32;

    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>Whether there are bytes that were received and not read.</summary>
    public bool HasMore => _start < _end;

    /// <summary>Number of parts of the next command; <see langword="null"/> at the end of the connection.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a command.</exception>
    public async ValueTask<int?> ReadCountAsync(CancellationToken cancellationToken) =>
        HasMore || await FillAsync(cancellationToken) ? await ReadNumberAsync((byte)'*', cancellationToken) : null;

    /// <summary>Length of the next part, which is then read with <see cref="ReadAsync"/> or <see cref="SkipAsync"/>.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a part of a command.</exception>
    public ValueTask<int> ReadLengthAsync(CancellationToken cancellationToken) => ReadNumberAsync((byte)'$', cancellationToken);

    /// <summary>The next part as text, one character per byte, because the client library also sends bytes that are not text.</summary>
    /// <param name="longest">Maximum length in bytes.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="InvalidDataException">It is longer, or not a part of a command.</exception>
    public async ValueTask<string> ReadTextAsync(int longest, CancellationToken cancellationToken)
    {
        var length = await ReadLengthAsync(cancellationToken);
        if (length > longest)
        {
            throw new InvalidDataException();
        }

        var bytes = new byte[length];
        await ReadAsync(bytes, cancellationToken);
        await EndPartAsync(cancellationToken);
        return Encoding.Latin1.GetString(bytes);
    }

    /// <summary>Reads bytes of a part.</summary>
    public async ValueTask ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        while (!target.IsEmpty)
        {
            var there = Math.Min(_end - _start, target.Length);
            if (there > 0)
            {
                _buffer.AsSpan(_start, there).CopyTo(target.Span);
                _start += there;
                target = target[there..];
                continue;
            }

            // Long parts are received directly into their target.
            var read = await socket.ReceiveAsync(target, SocketFlags.None, cancellationToken);
            target = target[Received(read)..];
        }
    }

    /// <summary>Skips bytes of a part.</summary>
    public async ValueTask SkipAsync(int length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            if (!HasMore)
            {
                Received(await FillAsync(cancellationToken) ? 1 : 0);
            }

            var skipped = Math.Min(length, _end - _start);
            _start += skipped;
            length -= skipped;
        }
    }

    /// <summary>Reads the end of a part.</summary>
    /// <exception cref="InvalidDataException">The part does not end there.</exception>
    public async ValueTask EndPartAsync(CancellationToken cancellationToken)
    {
        if (await ReadByteAsync(cancellationToken) != '\r' || await ReadByteAsync(cancellationToken) != '\n')
        {
            throw new InvalidDataException();
        }
    }

    private async ValueTask<int> ReadNumberAsync(byte mark, CancellationToken cancellationToken)
    {
        if (await ReadByteAsync(cancellationToken) != mark)
        {
            throw new InvalidDataException();
        }

        var line = new byte[LongestLine];
        for (var length = 0; length < LongestLine; length++)
        {
            var next = await ReadByteAsync(cancellationToken);
            if (next == '\r')
            {
                return await ReadByteAsync(cancellationToken) == '\n' && Utf8Parser.TryParse(line.AsSpan(0, length), out int number, out var used) && used == length && number >= 0
                    ? number
                    : throw new InvalidDataException();
            }

            line[length] = next;
        }

        throw new InvalidDataException();
    }

    private async ValueTask<byte> ReadByteAsync(CancellationToken cancellationToken)
    {
        if (!HasMore)
        {
            Received(await FillAsync(cancellationToken) ? 1 : 0);
        }

        return _buffer[_start++];
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _start = 0;
        _end = await socket.ReceiveAsync(_buffer.AsMemory(), SocketFlags.None, cancellationToken);
        return _end > 0;
    }

    private static int Received(int bytes) => bytes > 0 ? bytes : throw new EndOfStreamException();
}
