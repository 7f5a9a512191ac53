using System.Globalization;
using System.Text;
using Detection.Bench.Measuring;

namespace Detection.Bench.Compare;

/// <summary>The measured values by name, one per round.</summary>
internal sealed class Figures
{
    private readonly Dictionary<string, List<double>> _values = new(StringComparer.Ordinal);
    private readonly List<(string Name, string Value, string Goal)> _lines = [];

    /// <summary>Adds a value of this round.</summary>
    public void Add(string name, double value)
    {
        if (!_values.TryGetValue(name, out var values))
        {
            _values[name] = values = [];
        }

        values.Add(value);
    }

    /// <summary>Adds a column of a row.</summary>
    public double Add(string name, IReadOnlyDictionary<string, string> row, string column)
    {
        var value = double.Parse(row[column], CultureInfo.InvariantCulture);
        Add(name, value);
        return value;
    }

    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>The median over the rounds.</summary>
    public double this[string name]
    {
        get
        {
            var sorted = _values[name].Order().ToList();
            return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }

    /// <summary>A row of the table.</summary>
    public void Line(string name, string value, string goal = "") => _lines.Add((name, value, goal));

    /// <summary>The table, as Markdown.</summary>
    public string Table()
    {
        var text = new StringBuilder("| figure | median | goal |\n|---|---|---|\n");
        foreach (var (name, value, goal) in _lines)
        {
            text.Append($"| {name} | {value} | {goal} |\n");
        }

        return text.ToString();
    }

    /// <summary>Writes every value of every round.</summary>
    public void Save(string path)
    {
        foreach (var (name, values) in _values)
        {
            for (var round = 0; round < values.Count; round++)
            {
                CsvFile.Append(path, [("figure", name), ("round", $"{round + 1}"), ("value", $"{values[round]:0.####}")]);
            }
        }
    }
}
