using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;

namespace Detection.Hosting;

/// <summary>Finds free ports of this machine.</summary>
internal static class FreePort
{
    private const int Candidates = 1000;

    // A process listens on its chosen port only later, and processes are started together. So a choice has a name that other processes of this
    // machine see until this process has ended in any way.
    private static readonly List<Mutex> Choices = [];

    /// <summary>The first port from <paramref name="first"/> on that no process listens on or has chosen.</summary>
    public static int From(int first)
    {
        var used = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        return Enumerable.Range(first, Candidates).First(port => !used.Contains(port) && TryChoose(port));
    }

    /// <summary>Whether this process can listen on a port at <paramref name="address"/>. An address other than loopback needs a port on which no process listens at any address.</summary>
    public static bool IsFree(int port, IPAddress address) => !IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener =>
        listener.Port == port
        && (!IPAddress.IsLoopback(address) || listener.Address.Equals(address) || listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any)));

    private static bool TryChoose(int port)
    {
        Mutex choice;
        bool isFirst;
        try
        {
            choice = new Mutex(false, string.Create(CultureInfo.InvariantCulture, $@"Global\Detection.Port.{port}"), out isFirst);
        }
        catch (UnauthorizedAccessException)
        {
            return false; // Another user's.
        }

        if (!isFirst)
        {
            choice.Dispose();
            return false;
        }

        lock (Choices)
        {
            Choices.Add(choice);
        }

        return true;
    }
}
