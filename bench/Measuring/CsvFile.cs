namespace Detection.Bench.Measuring;

/// <summary>A table in a file, to which programs append rows.</summary>
public static class CsvFile
{
    /// <summary>Appends one row; a new file begins with the names of the columns.</summary>
    public static void Append(string path, IReadOnlyList<(string Column, string Value)> row)
    {
        ArgumentNullException.ThrowIfNull(row);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (!File.Exists(path))
        {
            File.WriteAllText(path, string.Join(',', row.Select(cell => cell.Column)) + "\n");
        }

        File.AppendAllText(path, string.Join(',', row.Select(cell => Quoted(cell.Value))) + "\n");
    }

    /// <summary>The last row, by column.</summary>
    public static IReadOnlyDictionary<string, string> Last(string path)
    {
        var lines = File.ReadAllLines(path);
        return lines[0].Split(',').Zip(Split(lines[^1])).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    private static string Quoted(string value) => value.Contains(',', StringComparison.Ordinal) ? $"\"{value}\"" : value;

    private static IEnumerable<string> Split(string line)
    {
        for (var rest = line; ;)
        {
            var quoted = rest.StartsWith('"');
            var end = quoted ? rest.IndexOf('"', 1) : rest.IndexOf(',', StringComparison.Ordinal);
            if (end < 0)
            {
                yield return rest;
                yield break;
            }

            yield return quoted ? rest[1..end] : rest[..end];
            if (quoted && end + 1 == rest.Length)
            {
                yield break;
            }

            rest = rest[(quoted ? end + 2 : end + 1)..];
        }
    }
}
