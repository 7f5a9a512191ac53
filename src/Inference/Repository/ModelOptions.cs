using System.ComponentModel.DataAnnotations;
using Detection.Inference.Loading;

namespace Detection.Inference.Repository;

/// <summary>Folder and loading of models: section <c>Detection:Models</c>.</summary>
public sealed class ModelOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Detection:Models";

    /// <summary>
    /// Folder with <c>NAME/model.onnx</c>, or one graph of another name, and <c>NAME/model.json</c>; or only <c>NAME.onnx</c>. Default: <c>models</c> beside
    /// the program.
    /// </summary>
    [Required(ErrorMessage = "The setting '{0}' is empty. Set it to the folder that holds the models.")]
    public string Directory { get; set; } = Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>The model that is loaded first after a start.</summary>
    [Required, RegularExpression(ModelFile.NamePattern, ErrorMessage = "The setting '{0}' is not the name of a model. Use 1 to 64 letters, digits, '.', '_' and '-'.")]
    public string Default { get; set; } = SharedDefaults.Model;

    /// <summary>
    /// Interval at which the folder is scanned, for file systems that report no changes; at least 1 s. Default 30 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RescanInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the size and the time of the files must be unchanged before they are read, so that a copy in progress does not look like a
    /// damaged model; 0 to 1 minute. Default 1 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Maximum time to read a model, and then to load it on a device; 1 s to 1 day. Default 5 minutes. After it the load is cancelled and
    /// reported as a problem; other models do not wait for it. With TensorRT it is twelve times as long.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LoadTimeout { get; set; } = ModelLoad.DefaultLimit;
}
