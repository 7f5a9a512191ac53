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

    /// <summary>Whether more has come than was read.</summary>
    public bool HasMore => _start < _end;

    /// <summary>How many parts the next command has; <see langword="null"/> at the end of the connection.</summary>
    /// <exception cref="InvalidDataException">What comes is no command.</exception>
    public async ValueTask<int?> ReadCountAsync(CancellationToken cancellationToken) =>
        HasMore || await FillAsync(cancellationToken) ? await ReadNumberAsync((byte)'*', cancellationToken) : null;

    /// <summary>The length of the next part, which is read by <see cref="ReadAsync"/> or <see cref="SkipAsync"/>.</summary>
    /// <exception cref="InvalidDataException">What comes is no part of a command.</exception>
    public ValueTask<int> ReadLengthAsync(CancellationToken cancellationToken) => ReadNumberAsync((byte)'$', cancellationToken);

    /// <summary>The next part as a text, one character a byte: the library also sends bytes that are none.</summary>
    /// <param name="longest">Most bytes that it may have.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="InvalidDataException">It is longer, or no part of a command.</exception>
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

            // What is long goes straight to where it is kept.
            var read = await socket.ReceiveAsync(target, SocketFlags.None, cancellationToken);
            target = target[Came(read)..];
        }
    }

    /// <summary>Reads bytes of a part that is not used.</summary>
    public async ValueTask SkipAsync(int length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            if (!HasMore)
            {
                Came(await FillAsync(cancellationToken) ? 1 : 0);
            }

            var skipped = Math.Min(length, _end - _start);
            _start += skipped;
            length -= skipped;
        }
    }

    /// <summary>Reads what stands behind each part.</summary>
    /// <exception cref="InvalidDataException">Something else stands there.</exception>
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
            Came(await FillAsync(cancellationToken) ? 1 : 0);
        }

        return _buffer[_start++];
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _start = 0;
        _end = await socket.ReceiveAsync(_buffer.AsMemory(), SocketFlags.None, cancellationToken);
        return _end > 0;
    }

    private static int Came(int bytes) => bytes > 0 ? bytes : throw new EndOfStreamException();
}
