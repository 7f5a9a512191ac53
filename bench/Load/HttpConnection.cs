using System.Buffers.Text;
using System.Net.Sockets;

namespace Detection.Bench.Load;

/// <summary>The parts of an answer that are read.</summary>
/// <param name="Status">Status code.</param>
/// <param name="Cache">Value of X-Cache: h(it), j(oined), m(iss); 0 for none.</param>
internal readonly record struct HttpAnswer(int Status, char Cache);

/// <summary>
/// One HTTP/1.1 connection with one request at a time, over a socket: a client library would use as much processor time as the
/// front end that is measured.
/// </summary>
internal sealed class HttpConnection(Uri url) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private Socket? _socket;

    /// <summary>Sends a request and reads its answer to the end.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    /// <exception cref="InvalidDataException">The answer is not valid.</exception>
    public async ValueTask<HttpAnswer> AskAsync(List<ArraySegment<byte>> request, CancellationToken cancellationToken)
    {
        var socket = _socket;
        if (socket is null)
        {
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(url.Host, url.Port, cancellationToken);
            _socket = socket;
        }

        try
        {
            var expected = request.Sum(part => part.Count);
            var sent = await socket.SendAsync(request, SocketFlags.None);
            for (var i = 0; sent < expected; i++)
            {
                // Rare: the kernel accepted only a part. The rest is sent in pieces.
                var skip = sent;
                foreach (var part in request)
                {
                    if (skip < part.Count)
                    {
                        sent += await socket.SendAsync(part[skip..], SocketFlags.None, cancellationToken);
                        break;
                    }

                    skip -= part.Count;
                }
            }

            return await ReadAsync(socket, cancellationToken);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private async ValueTask<HttpAnswer> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var length = 0;
        int body;
        do
        {
            var read = await socket.ReceiveAsync(_buffer.AsMemory(length), SocketFlags.None, cancellationToken);
            if (read == 0 || (length += read) == _buffer.Length)
            {
                throw new InvalidDataException("The connection ended within the headers of an answer.");
            }

            body = _buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
        }
        while (body < 0);

        var (answer, contentLength) = ReadHead(_buffer.AsSpan(0, body + 2));
        body += 4;
        if (contentLength >= 0)
        {
            for (var left = contentLength - (length - body); left > 0;)
            {
                left -= await ReceiveAsync(0);
            }

            return answer;
        }

        // A chunked body ends with an empty chunk. With one request at a time, and JSON without line breaks, no other bytes look like it.
        while (!_buffer.AsSpan(0, length)[(body - 2)..].EndsWith("\r\n0\r\n\r\n"u8))
        {
            if (length > _buffer.Length / 2)
            {
                // Only the end is needed.
                _buffer.AsSpan(length - 16, 16).CopyTo(_buffer);
                (length, body) = (16, 2);
            }

            length += await ReceiveAsync(length);
        }

        return answer;

        async ValueTask<int> ReceiveAsync(int start)
        {
            var read = await socket.ReceiveAsync(_buffer.AsMemory(start), SocketFlags.None, cancellationToken);
            return read > 0 ? read : throw new InvalidDataException("The connection ended within an answer.");
        }
    }

    private static (HttpAnswer Answer, int ContentLength) ReadHead(ReadOnlySpan<byte> head)
    {
        if (!head.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(head[9..], out int status, out _))
        {
            throw new InvalidDataException("This is not an answer of HTTP/1.1.");
        }

        var cache = Find(head, "\r\nX-Cache: "u8) is var at and >= 0 ? (char)head[at] : '\0';
        var length = Find(head, "\r\nContent-Length: "u8) is var start and >= 0 && Utf8Parser.TryParse(head[start..], out int bytes, out _) ? bytes : -1;
        return (new HttpAnswer(status, cache), length);
    }

    private static int Find(ReadOnlySpan<byte> head, ReadOnlySpan<byte> header) =>
        head.IndexOf(header) is var at and >= 0 ? at + header.Length : -1;
}
