using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Detection.Testing;

/// <summary>
/// Free ports of the loopback interface, below the range that the kernel uses for outgoing connections, so that a
/// restarted server finds its port free. Each port is used once per test process, and test processes that
/// run at the same time have different blocks.
/// </summary>
public static class LoopbackPorts
{
    private const int First = 12_000;
    private const int Last = 31_999;
    private const int BlockSize = 1_000;
    private static readonly HashSet<int> Taken = [];
    private static readonly Lock TakenLock = new();

    // Open and locked until the process ends for any reason.
    private static readonly FileStream Block = TakeBlock();
    private static readonly int BlockStart = int.Parse(Path.GetFileNameWithoutExtension(Block.Name), CultureInfo.InvariantCulture);

    /// <summary>A port that nothing listens on.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < 10 * BlockSize; attempt++)
        {
            var port = Random.Shared.Next(BlockStart, BlockStart + BlockSize);
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

        throw new InvalidOperationException($"No free loopback port was found among those of '{Block.Name}'.");
    }

    /// <summary>Locks the file of a block of ports that no other process uses.</summary>
    private static FileStream TakeBlock()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "detection-test-ports"));
        for (var first = First; first + BlockSize - 1 <= Last; first += BlockSize)
        {
            try
            {
                return new FileStream(
                    Path.Combine(folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{first}.lock")), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                // Another process has it.
            }
        }

        throw new InvalidOperationException($"All blocks of loopback ports in '{folder.FullName}' are taken by other test processes.");
    }

    private static bool IsFree(int port)
    {
        // Bind also sees listeners on all addresses. Without SO_REUSEADDR ports in TIME_WAIT count as used.
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
