using System.Net.Sockets;

namespace Detection.Fuzz;

/// <summary>Sends a request over a separate connection, without a library that would correct it.</summary>
internal static class Connection
{
    // Longer than the longest wait of a request.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    /// <summary>Sends, and waits for the answer.</summary>
    public static async Task<Answer> AskAsync(Uri server, FuzzRequest request)
    {
        using var limit = new CancellationTokenSource(Deadline);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, limit.Token);
            var sending = SendAsync(socket, request, limit.Token);
            if (request.Ending == Ending.Leaves)
            {
                await sending;
                socket.LingerState = new LingerOption(true, 0);
                return Answer.None("left");
            }

            var answer = await ReceiveAsync(socket, request.Method == "HEAD", limit.Token);
            await sending;
            return answer;
        }
        catch (OperationCanceledException)
        {
            return Answer.None($"no answer within {Deadline.TotalSeconds:F0} s");
        }
        catch (SocketException e)
        {
            return Answer.None($"{e.SocketErrorCode}");
        }
    }

    private static async Task SendAsync(Socket socket, FuzzRequest request, CancellationToken cancellation)
    {
        try
        {
            for (var at = 0; at < request.Bytes.Length;)
            {
                at += await socket.SendAsync(request.Bytes.AsMemory(at), cancellation);
            }

            if (request.Ending == Ending.HalfCloses)
            {
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (SocketException)
        {
            // The server has closed its side; the bytes before count.
        }
    }

    private static async Task<Answer> ReceiveAsync(Socket socket, bool isHead, CancellationToken cancellation)
    {
        var bytes = new byte[64 * 1024];
        var length = 0;
        while (true)
        {
            int read;
            try
            {
                read = await socket.ReceiveAsync(bytes.AsMemory(length), cancellation);
            }
            catch (SocketException e)
            {
                var before = Answer.Read(bytes.AsSpan(0, length), ended: true, isHead)!;
                return before.IsWhole && before.Status != 0 ? before : before with { Fault = $"{e.SocketErrorCode}" };
            }

            length += read;
            if (Answer.Read(bytes.AsSpan(0, length), ended: read == 0, isHead) is { } answer)
            {
                return answer;
            }

            if (length == bytes.Length)
            {
                Array.Resize(ref bytes, bytes.Length * 2);
            }
        }
    }
}
