namespace Detection.Testing.Tests;

/// <summary>The state of a process, from Linux.</summary>
internal static class ProcessState
{
    /// <summary>R, S (running, sleeping), T (stopped) and so on.</summary>
    public static char Of(int id)
    {
        // "pid (name) state …": the name may have any characters, so the text is read after its last bracket.
        var stat = File.ReadAllText($"/proc/{id}/stat");
        return stat[stat.LastIndexOf(')') + 2];
    }

    /// <summary>Whether the process exists and is not a zombie.</summary>
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
