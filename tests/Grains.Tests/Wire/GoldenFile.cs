namespace Detection.Grains.Tests.Wire;

/// <summary>
/// The bytes of one type as a released version wrote them: one line per value, with its name and its bytes. JSON is stored as text, other bytes in
/// hex. Processes of several versions share one Redis during a rolling upgrade, so lines are added and never changed.
/// </summary>
internal sealed class GoldenFile
{
    private readonly string _name;
    private readonly Dictionary<string, string> _lines;

    public GoldenFile(string name)
    {
        _name = name;
        _lines = File.ReadLines(Path.Combine(Repository.Root, "tests", "Grains.Tests", "Wire", "Golden", name))
            .Select(static line => line.Split(": ", 2))
            .ToDictionary(static parts => parts[0], static parts => parts[1], StringComparer.Ordinal);
    }

    private bool IsJson => _name.EndsWith(".json.txt", StringComparison.Ordinal);

    /// <summary>Checks that values are written as in the file, and that the lines of the file are read as these values.</summary>
    /// <param name="values">All values of the file, by the names of their lines.</param>
    /// <param name="write">Writes a value.</param>
    /// <param name="read">Reads what was written.</param>
    public void Check<T>(IReadOnlyList<(string Name, T Value)> values, Func<T, byte[]> write, Func<byte[], T> read)
        where T : class
    {
        var written = values.Select(value => $"{value.Name}: {ToText(write(value.Value))}").ToList();
        Assert.Equal(_lines.Select(static line => $"{line.Key}: {line.Value}"), written);
        foreach (var (name, value) in values)
        {
            var old = read(FromText(_lines[name]));
            Assert.Equivalent(value, old, strict: true);
            Assert.Equal(_lines[name], ToText(write(old)));
        }
    }

    private string ToText(byte[] bytes) => IsJson ? System.Text.Encoding.UTF8.GetString(bytes) : Convert.ToHexStringLower(bytes);

    private byte[] FromText(string text) => IsJson ? System.Text.Encoding.UTF8.GetBytes(text) : Convert.FromHexString(text);
}
