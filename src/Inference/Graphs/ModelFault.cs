using System.Text.RegularExpressions;
using Detection.Inference.Manifest;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>
/// Turns exceptions that a file causes into faults of that model. A file may have any content, and neither the runtime nor the libraries document
/// which exceptions it can cause.
/// </summary>
internal static partial class ModelFault
{
    /// <summary>The exception as a fault of the model.</summary>
    /// <param name="what">What cannot be done, including the model's name.</param>
    /// <param name="error">The reason.</param>
    public static ModelException Of(string what, Exception error) => error is ModelException problem and not RunTimeoutException
        ? problem
        : new ModelException($"{what}: {Reason(error)}.", error);

    /// <summary>The reason, without the paths in the runtime's source and on this machine with which the message starts.</summary>
    public static string Reason(Exception error) => error switch
    {
        OnnxRuntimeException => Place().Replace(error.Message.Split('\n')[0], "").Trim().TrimEnd('.'),
        RunTimeoutException => error.Message.TrimEnd('.'),
        OutOfMemoryException => "it needs more memory than is available",
        IOException or UnauthorizedAccessException or InvalidDataException => error.Message.TrimEnd('.'),
        _ => $"{error.GetType().Name}: {error.Message.TrimEnd('.')}",
    };

    [GeneratedRegex(@"^\[ErrorCode:\w+\] (Load model from \S+ failed:)?|\S*[/\\]onnxruntime[/\\]core\S+:\d+ [^)]*\) |\S*[/\\]detection-model-\w+[/\\]")]
    private static partial Regex Place();
}
