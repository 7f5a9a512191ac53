using System.ComponentModel.DataAnnotations;
using Detection.Inference.Loading;

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
    [Required(ErrorMessage = "The setting '{0}' is empty. Set it to the folder that holds the models.")]
    public string Directory { get; set; } = Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>The model that is read first, so that it serves first after a start.</summary>
    [Required, RegularExpression(ModelFile.NamePattern, ErrorMessage = "The setting '{0}' is not the name of a model. Use 1 to 64 letters, digits, '.', '_' and '-'.")]
    public string Default { get; set; } = SharedDefaults.Model;

    /// <summary>
    /// Time between two looks at the folder, for file systems that report no changes; at least 1 s. Default 30 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RescanInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the files must have kept their size and time of writing before they are read, so that a copy under way is
    /// not taken for a damaged model; 0 to 1 minute. Default 1 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest that a model may take to be read, and then to be loaded on a device; 1 s to 1 day. Default 5 minutes. One that takes
    /// longer is given up and reported as a problem; others do not wait for it. A device with TensorRT has twelve times as long.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LoadTimeout { get; set; } = ModelLoad.DefaultLimit;
}
