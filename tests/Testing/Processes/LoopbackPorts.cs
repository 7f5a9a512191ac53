using System.Net;
using System.Net.Sockets;

namespace Detection.Testing;

/// <summary>
/// Free ports of the loopback interface, below the range that the kernel gives to outgoing connections: a server that is
/// stopped and started again finds its port still free. Each is handed out once per test process.
/// </summary>
public static class LoopbackPorts
{
    private const int First = 12_000;
    private const int Last = 31_999;
    private static readonly HashSet<int> Taken = [];
    private static readonly Lock TakenLock = new();

    /// <summary>A port that nothing listens on.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var port = Random.Shared.Next(First, Last + 1);
            lock (TakenLock)
            {
                if (!Taken.Add(port))
                {
                    continue;
                }
            }

            if (IsFree(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException("No free loopback port was found.");
    }

    private static bool IsFree(int port)
    {
        // Bind alone sees listeners on all addresses too; no SO_REUSEADDR, so that ports in TIME_WAIT count as taken.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
