using Detection.Inference.Manifest;
using Detection.Inference.Pulling;
using Detection.Inference.Repository;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Pulling;

/// <summary>Models that a silo pulls at its start: <c>Detection:Models:Sources</c>.</summary>
public sealed class ModelSourceOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Models";

    /// <summary>The sources, by the names of the models.</summary>
    public Dictionary<string, ConfiguredSource> Sources { get; } = new(StringComparer.Ordinal);
}

/// <summary>A source of a model in the settings.</summary>
public sealed class ConfiguredSource
{
    /// <summary>Where the model is, in a form that <see cref="PullSource.Parse"/> reads.</summary>
    public string Source { get; set; } = "";

    /// <summary>SHA-256 of the ONNX file, 64 hex digits; empty for whatever the source has at the first pull.</summary>
    public string Sha256 { get; set; } = "";

    /// <summary>Token for the source's server, or <c>user:password</c>; empty for none, or for one in <see cref="PullOptions.Tokens"/>.</summary>
    public string Token { get; set; } = "";
}

/// <summary>Refuses sources that cannot be pulled.</summary>
internal sealed class ModelSourceOptionsValidator : IValidateOptions<ModelSourceOptions>
{
    public ValidateOptionsResult Validate(string? name, ModelSourceOptions options)
    {
        List<string> faults = [];
        foreach (var (model, source) in options.Sources)
        {
            var key = $"{ModelSourceOptions.Section}:{nameof(options.Sources)}:{model}";
            if (!ModelFile.IsName(model))
            {
                faults.Add($"The setting '{key}' names a model '{model}'. Use letters, digits, '.', '_' and '-', 64 at most.");
            }

            try
            {
                ModelPulls.OrderOf(model, source.Source, source.Sha256, null, null).Check();
            }
            catch (ModelException e)
            {
                faults.Add($"The setting '{key}' cannot be pulled: {e.Message}");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
