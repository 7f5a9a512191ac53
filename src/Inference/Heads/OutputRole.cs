using Detection.Inference.Manifest;

namespace Detection.Inference.Heads;

/// <summary>One output that a head needs, and how to find it among the graph's outputs.</summary>
/// <param name="role">Its purpose; its name in the manifest's <c>head.outputs</c>.</param>
/// <param name="expected">The shape in words, without the batch dimension.</param>
/// <param name="options">The manifest's settings.</param>
/// <param name="fits">Whether a shape fits.</param>
/// <param name="usualNames">Names that exporters use: they decide when several outputs fit.</param>
internal sealed class OutputRole(string role, string expected, HeadOptions options, Func<int[], bool> fits, params string[] usualNames)
{
    private readonly string? _name = options.Outputs is { } names && names.TryGetValue(role, out var name) ? name : null;

    /// <summary>The output that the manifest names, otherwise the one with the right shape.</summary>
    /// <exception cref="ModelException">None fits, or several fit and none has a usual name.</exception>
    public OutputTensor Find(IReadOnlyList<OutputTensor> outputs) =>
        TryFind(outputs, out var found) ? found : throw new ModelException(
            $"the graph has {Describe(outputs)}, but this family needs {(_name is null ? $"an output \"{role}\"" : $"its output \"{_name}\"")} of shape {expected}; "
            + $"write another \"family\", other \"labels\" or another input size, or name the output with \"head\": {{ \"outputs\": {{ \"{role}\": \"…\" }} }}.");

    /// <summary>As <see cref="Find"/>, for an output that not every graph has.</summary>
    public bool TryFind(IReadOnlyList<OutputTensor> outputs, out OutputTensor found)
    {
        found = default;
        var count = 0;
        for (var i = 0; i < outputs.Count; i++)
        {
            var output = outputs[i];
            if (_name is not null ? output.Name != _name : !fits(output.Shape))
            {
                continue;
            }

            if (_name is not null)
            {
                found = output;
                return fits(output.Shape);
            }

            if (IsUsual(output.Name))
            {
                found = output;
                return true;
            }

            found = output;
            count++;
        }

        return count == 1;
    }

    private bool IsUsual(ReadOnlySpan<char> name)
    {
        // TensorFlow appends a number to the outputs of an operation.
        name = name.EndsWith(":0") ? name[..^2] : name;
        foreach (var usual in usualNames)
        {
            if (name.SequenceEqual(usual))
            {
                return true;
            }
        }

        return false;
    }

    private static string Describe(IReadOnlyList<OutputTensor> outputs) =>
        outputs.Count == 0 ? "no outputs" : string.Join(", ", outputs.Select(o => $"\"{o.Name}\" [{string.Join(", ", o.Shape)}]"));
}
