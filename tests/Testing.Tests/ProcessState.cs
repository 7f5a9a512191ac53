namespace Detection.Testing.Tests;

/// <summary>What Linux says about a process.</summary>
internal static class ProcessState
{
    /// <summary>R, S (running, sleeping), T (stopped) and so on.</summary>
    public static char Of(int id)
    {
        // "pid (name) state …": the name may hold anything, so from its last bracket on.
        var stat = File.ReadAllText($"/proc/{id}/stat");
        return stat[stat.LastIndexOf(')') + 2];
    }

    /// <summary>Whether it is there and not merely waiting to be reaped.</summary>
    public static bool Exists(int id)
    {
        try
        {
            return Of(id) is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
