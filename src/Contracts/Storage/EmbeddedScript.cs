namespace Detection.Contracts.Storage;

/// <summary>Lua scripts, which lie in a folder <c>Scripts</c> beside the type that runs them.</summary>
public static class EmbeddedScript
{
    /// <summary>Reads a script.</summary>
    /// <param name="user">The type that runs it.</param>
    /// <param name="name">File name without <c>.lua</c>.</param>
    public static string Read(Type user, string name)
    {
        using var stream = user.Assembly.GetManifestResourceStream($"{user.Namespace}.Scripts.{name}.lua")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
