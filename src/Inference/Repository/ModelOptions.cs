using Detection.Inference.Loading;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Repository;

/// <summary>Where models are found: section <c>Detection:Models</c>.</summary>
public sealed class ModelOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Models";

    /// <summary>
    /// Folder with <c>NAME/model.onnx</c> and <c>NAME/model.json</c>, or bare <c>NAME.onnx</c>. Default: <c>models</c> beside
    /// the program.
    /// </summary>
    public string Directory { get; set; } = Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>Model of a request that names none.</summary>
    public string Default { get; set; } = "nanodet-g";

    /// <summary>
    /// Time between two looks at the folder, for file systems that report no changes; at least 1 s. Default 30 s.
    /// </summary>
    public TimeSpan RescanInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the files must have kept their size and time of writing before they are read, so that a copy under way is
    /// not taken for a damaged model; 0 to 1 minute. Default 1 s.
    /// </summary>
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest that a model may take to be read, and then to be loaded on a device; 1 s to 1 day. Default 5 minutes. One that takes
    /// longer is given up and reported as a problem; others do not wait for it. A device with TensorRT has twelve times as long.
    /// </summary>
    public TimeSpan LoadTimeout { get; set; } = ModelLoad.DefaultLimit;
}

/// <summary>Validates <see cref="ModelOptions"/>.</summary>
public sealed class ModelOptionsValidator : IValidateOptions<ModelOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(options.Directory))
        {
            faults.Add("Directory is empty; write the folder that holds the models.");
        }

        if (!ModelFile.IsName(options.Default))
        {
            faults.Add($"Default is \"{options.Default}\"; write the name of a model.");
        }

        if (options.RescanInterval < TimeSpan.FromSeconds(1) || options.RescanInterval > TimeSpan.FromDays(1))
        {
            faults.Add($"RescanInterval is {options.RescanInterval}; write 1 s to 1 day, for example 00:00:30.");
        }

        if (options.SettleTime < TimeSpan.Zero || options.SettleTime > TimeSpan.FromMinutes(1))
        {
            faults.Add($"SettleTime is {options.SettleTime}; write 0 to 1 minute, for example 00:00:01.");
        }

        if (options.LoadTimeout < TimeSpan.FromSeconds(1) || options.LoadTimeout > TimeSpan.FromDays(1))
        {
            faults.Add($"LoadTimeout is {options.LoadTimeout}; write 1 s to 1 day, for example 00:05:00.");
        }

        return faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
